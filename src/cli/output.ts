/** Writes what a command prints. With `--json`, programs read stdout and people read stderr. */
export interface Output {
  /** True with `--json`. */
  readonly isJson: boolean;
  /** Prints a sentence or a line of a table for people; with `--json` to stderr, so that stdout stays one document. */
  readonly say: (line: string) => void;
  /** Prints progress or a warning, always to stderr. */
  readonly note: (line: string) => void;
  /** Prints the one document of `--json`; does nothing without the flag. */
  readonly printJson: (value: unknown) => void;
  /** Prints one of many JSON values on a line of its own; does nothing without `--json`. */
  readonly printJsonLine: (value: unknown) => void;
}

/** Characters that would move the cursor or ring the bell of a terminal; texts from Personio may contain them. */
// eslint-disable-next-line no-control-regex -- finds control characters
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Returns the text with control characters escaped (`\u001b`); line breaks and tabs stay. */
function escapeControlCharacters(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function createOutput(isJson: boolean, stdout: NodeJS.WritableStream, stderr: NodeJS.WritableStream): Output {
  const note = (line: string): void => void stderr.write(`${escapeControlCharacters(line)}\n`);
  return {
    isJson,
    note,
    say: isJson ? note : (line) => void stdout.write(`${escapeControlCharacters(line)}\n`),
    printJson: (value) => {
      if (isJson) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    printJsonLine: (value) => {
      if (isJson) stdout.write(`${escapeControlCharacters(JSON.stringify(value))}\n`);
    },
  };
}

/** Returns the lines of a table: left-aligned columns with two spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
