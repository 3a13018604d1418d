/**
 * Fields that payloads carried under another name before 0.2. Temporal keeps a payload as it was written, so
 * workflows that started before, and recorded histories, still have the former names. Can go once no such workflow is
 * left.
 */
const CURRENT_NAMES = new Map([
  ['acceptNarrowing', 'acceptShrunk'],
  ['answers', 'acknowledgements'],
  ['decision', 'verdict'],
  ['heldRows', 'storedRows'],
  ['moved', 'restartReason'],
  ['narrowed', 'shrunk'],
  ['reading', 'attempt'],
  ['retired', 'isSourceGone'],
]);

/**
 * Returns a payload with the current names of its fields, nested ones included. Leaves `detail` as it is. Apply it
 * where a workflow takes its input or the result of an activity, and where an activity takes its request.
 */
export function withCurrentNames<T>(payload: T): T {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the type describes the current names
  return renameFields(payload) as T;
}

function renameFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renameFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) =>
      // The detail of a run is stored as it is, under keys that stay.
      name === 'detail' ? [name, field] : [CURRENT_NAMES.get(name) ?? name, renameFields(field)],
    ),
  );
}
