/* The text format of COPY (PostgreSQL documentation, "COPY", section "Text Format"). */

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Characters that PostgreSQL cannot store in a text: the zero character, and halves of surrogate pairs. */
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/**
 * Returns one line: numbers, booleans and texts as they are, lists of texts as arrays, objects as JSON, null as `\N`.
 */
export function toCopyRow(values: readonly unknown[]): string {
  return `${values.map(toCopyValue).join('\t')}\n`;
}

function toCopyValue(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'string') return escapeText(replaceUnstorable(value));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isTextList(value)) return escapeText(toArrayLiteral(value));
  return escapeText(
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? replaceUnstorable(inner) : inner)),
  );
}

function isTextList(value: unknown): value is TextList {
  return value instanceof TextList;
}

/** List for a `text[]` column. Every other list is JSON: by its contents alone, an empty one could be either. */
export class TextList {
  readonly items: readonly string[];

  constructor(items: readonly string[]) {
    this.items = items;
  }
}

function toArrayLiteral({ items }: TextList): string {
  const quoted = items.map((item) => {
    const escaped = replaceUnstorable(item).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    return `"${escaped}"`;
  });
  return `{${quoted.join(',')}}`;
}

function escapeText(text: string): string {
  return /[\\\n\r\t]/.test(text)
    ? text.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPED[character] ?? character)
    : text;
}

function replaceUnstorable(text: string): string {
  return text.replaceAll(UNSTORABLE, '\uFFFD');
}
