/** Where a command writes: people read stderr, programs read stdout. */
export interface Output {
  /** Whether the command was asked for JSON. */
  readonly isJson: boolean;
  /** A sentence or a line of a table, for people. With `--json` it goes to stderr, so that stdout stays one document. */
  readonly say: (line: string) => void;
  /** A message of progress or trouble; always stderr. */
  readonly note: (line: string) => void;
  /** The one document of `--json`; nothing without the flag. */
  readonly printJson: (value: unknown) => void;
  /** One of many JSON values, on a line of its own; nothing without the flag. */
  readonly printJsonLine: (value: unknown) => void;
}

/** Bytes that would move a cursor or ring a bell in a terminal; Personio's texts may contain them. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** @returns the text with control characters spelt out (`\u001b`); line breaks and tabs stay. */
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

/** Left-aligned columns with two spaces between them. */
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
