/** Exit codes, as the README promises them. */
export const EXIT = { done: 0, failed: 1, usage: 2, waiting: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Thrown to end a command with a sentence for the person who must act. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(sentence: string, exitCode: ExitCode = EXIT.failed) {
    super(sentence);
    this.exitCode = exitCode;
  }
}

/** Returns the worst code of several runs: a failure before a wait, a wait before a success. */
export function pickWorst(codes: readonly ExitCode[]): ExitCode {
  for (const code of [EXIT.usage, EXIT.failed, EXIT.waiting] as const) if (codes.includes(code)) return code;
  return EXIT.done;
}
