/**
 * Checks cron expressions as Temporal's schedules do (temporalio/temporal, service/worker/scheduler/calendar.go), so
 * that a mistyped one is refused at start and not by the server.
 */

interface Field {
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min`, and the fewest letters that stand for one. */
  readonly names?: { readonly words: readonly string[]; readonly letters: number };
}

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

const MINUTE_TO_DAY: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: { words: MONTHS, letters: 3 } },
  { min: 0, max: 7, names: { words: DAYS, letters: 2 } },
];
const YEAR: Field = { min: 2_000, max: 2_100 };
const SECOND: Field = { min: 0, max: 59 };
/** Fields by their number: five, with a year, and with seconds too. */
const LAYOUTS: ReadonlyMap<number, readonly Field[]> = new Map([
  [5, MINUTE_TO_DAY],
  [6, [...MINUTE_TO_DAY, YEAR]],
  [7, [SECOND, ...MINUTE_TO_DAY, YEAR]],
]);

const SHORTHANDS: readonly string[] = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const MAX_COMMENT_BYTES = 200;
/** Longest interval, which Temporal leaves open: a year. */
const MAX_INTERVAL_SECONDS = 366 * 86_400;
const SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, μs: 1e-6, ns: 1e-9 } as const;

/** Returns whether Temporal accepts an expression: five to seven fields, `@daily` or `@every 12h`, in a zone or not. */
export function isCron(text: string): boolean {
  const [fieldsText = '', ...comment] = removeZone(text).split('#');
  if (new TextEncoder().encode(comment.join('#').trim()).length > MAX_COMMENT_BYTES) return false;
  const expression = fieldsText.trim();
  if (expression.startsWith('@every')) return isInterval(expression);
  if (SHORTHANDS.includes(expression)) return true;
  const parts = expression.split(/\s+/);
  const fields = LAYOUTS.get(parts.length);
  return fields?.every((field, index) => isFieldValue(parts[index] ?? '', field)) ?? false;
}

const ZONE = /^\s*(?:CRON_)?TZ=(\S*) /;

function removeZone(text: string): string {
  return text.replace(ZONE, '');
}

/** Returns the zone that the expression itself names with `CRON_TZ=`; null where it names none. */
export function findCronZone(text: string): string | null {
  const zone = ZONE.exec(text)?.[1] ?? '';
  // Temporal reads the zone of calendar fields alone.
  return zone === '' || removeZone(text).trim().startsWith('@every') ? null : zone;
}

function isFieldValue(text: string, field: Field): boolean {
  return text.split(',').every((part) => {
    const [range = '', step, ...rest] = part.split('/');
    if (rest.length > 0 || (step !== undefined && !(toInteger(step) >= 1))) return false;
    if (range === '*') return true;
    const [from = '', to, ...more] = range.split('-');
    const start = toValue(from, field);
    const end = to === undefined ? start : toValue(to, field);
    return more.length === 0 && start >= field.min && end >= start && end <= field.max;
  });
}

function toValue(text: string, { min, names }: Field): number {
  const lower = text.toLowerCase();
  const index =
    names === undefined || text.length < names.letters ? -1 : names.words.findIndex((word) => word.startsWith(lower));
  return index >= 0 ? min + index : toInteger(text);
}

/** Returns NaN where the text is no whole number, which no comparison accepts. */
function toInteger(text: string): number {
  return /^[+-]?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/** Checks `@every 12h` or `@every 12h/30m`: at least a second, and an offset below it. */
function isInterval(expression: string): boolean {
  const space = expression.indexOf(' ');
  if (space < 0) return false;
  const [every = '', ...offset] = expression.slice(space + 1).split('/');
  const everySeconds = toSeconds(every);
  const offsetText = offset.join('/');
  const offsetSeconds = offsetText === '' ? 0 : toSeconds(offsetText);
  return (
    everySeconds >= 1 && everySeconds <= MAX_INTERVAL_SECONDS && offsetSeconds >= 0 && offsetSeconds < everySeconds
  );
}

/** Returns NaN for what is no duration of Go's, days included. */
function toSeconds(text: string): number {
  if (!/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/.test(text)) return Number.NaN;
  let seconds = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h|d)/g))
    seconds += Number(number) * (isUnit(unit) ? SECONDS[unit] : Number.NaN);
  return text.startsWith('-') ? -seconds : seconds;
}

function isUnit(text: string | undefined): text is keyof typeof SECONDS {
  return text !== undefined && Object.hasOwn(SECONDS, text);
}
