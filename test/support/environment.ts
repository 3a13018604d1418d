/** The environment of the test run, for the servers that a test starts by itself. */
export const testEnvironment: Readonly<NodeJS.ProcessEnv> = process.env;

/** A size that somebody may set to try more than the suite has time for. */
export function getSize(name: string, otherwise: number): number {
  return Number(process.env[name] ?? otherwise);
}
