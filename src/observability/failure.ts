/** Fields of PostgreSQL's errors that name things. Its message, detail and context may quote values. */
const NAMING_FIELDS = [
  'code',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'dataType',
  'routine',
  'statement',
];
const NAME = /^[\w.$ -]{1,100}$/;

/**
 * Returns what may be logged about any error, so that a log of level `debug` says what happened: its class, what it
 * names, and where in the code it arose; never its message, which may quote values.
 */
export function describeFailure(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { failure: typeof error };
  const named = NAMING_FIELDS.flatMap((field) => {
    const value: unknown = Reflect.get(error, field);
    return typeof value === 'string' && NAME.test(value) ? [[field, value] as const] : [];
  });
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? {} : { cause: describeFailure(error.cause) };
  return {
    failure: error.constructor.name,
    ...Object.fromEntries(named),
    at: frames.map((line) => line.trim()),
    ...cause,
  };
}
