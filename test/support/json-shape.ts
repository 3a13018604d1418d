/** Paths of a JSON document with the types found there, such as `events[].kind: mover.changed | joiner.started`. */
export type JsonShape = Readonly<Record<string, string>>;

/** Fields whose values are part of the interface, so that the shape keeps them. All others keep their type only. */
const ENUMERATIONS = new Set([
  'check',
  'class',
  'code',
  'datacontenttype',
  'decision',
  'endpoint',
  'exitCode',
  'failureType',
  'healthy',
  'kind',
  'ok',
  'outcome',
  'purpose',
  'specversion',
  'state',
  'type',
  'wouldBrake',
]);

/** Reduces a document to its shape. The elements of an array are merged; what some of them lack is also `absent`. */
export function describeShape(document: unknown): JsonShape {
  const shape: Record<string, string> = {};
  collect([document], '', shape);
  return Object.fromEntries(Object.entries(shape).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function collect(values: readonly unknown[], path: string, shape: Record<string, string>): void {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const types = new Set(values.map((value) => describeValue(value, ENUMERATIONS.has(name))));
  if (path !== '') shape[path] = [...types].sort().join(' | ');
  const elements = values.flatMap((value): readonly unknown[] => (Array.isArray(value) ? value : []));
  if (elements.length > 0) collect(elements, `${path}[]`, shape);
  const objects = values.filter(isObject);
  for (const key of new Set(objects.flatMap((object) => Object.keys(object))))
    collect(
      objects.map((object) => object[key]),
      path === '' ? key : `${path}.${key}`,
      shape,
    );
}

function describeValue(value: unknown, isEnumeration: boolean): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isEnumeration && isScalar ? String(value) : typeof value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
