import { Temporal } from 'temporal-polyfill';
import type { OfficePolicy } from './policy.js';

/** Calendar arithmetic in the zones of offices. Everything is text outside: dates `YYYY-MM-DD`, moments ISO 8601 in UTC. */

const midnights = new Map<string, string>();
/** Zones times days that a company's dates span; beyond that the cache begins anew, so that memory stays flat. */
const MAX_CACHED_MIDNIGHTS = 20_000;

/** @returns the IANA zone of an office; the default for no office, or one that the policy does not name. */
export function getZone(office: string | null, offices: OfficePolicy): string {
  // An office may be called `constructor`.
  const zone = office !== null && Object.hasOwn(offices.zones, office) ? offices.zones[office] : undefined;
  return zone ?? offices.defaultZone;
}

/** @returns the first moment of a day, which is not midnight where the clocks skip it (America/Sao_Paulo, Asia/Beirut). */
export function startOfDay(date: string, zone: string): string {
  const key = `${date} ${zone}`;
  const known = midnights.get(key);
  if (known !== undefined) return known;
  const moment = toIso(Temporal.PlainDate.from(date).toZonedDateTime(zone).toInstant());
  if (midnights.size >= MAX_CACHED_MIDNIGHTS) midnights.clear();
  midnights.set(key, moment);
  return moment;
}

/** @returns the moment at which a day is over: the first of the next. */
export function endOfDay(date: string, zone: string): string {
  return startOfDay(addDays(date, 1), zone);
}

/** @returns the calendar day of a moment in a zone. */
export function toLocalDay(moment: string, zone: string): string {
  return Temporal.Instant.from(moment).toZonedDateTimeISO(zone).toPlainDate().toString();
}

/** @returns the moment `days` days earlier at the same time of day on the clocks of the zone. */
export function subtractDays(moment: string, days: number, zone: string): string {
  return toIso(Temporal.Instant.from(moment).toZonedDateTimeISO(zone).subtract({ days }).toInstant());
}

export function addDays(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/** @returns how many days `to` is after `from`; negative when before. */
export function countDaysBetween(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(to, { largestUnit: 'day' }).days;
}

/** Milliseconds always, so that equal moments are equal texts. */
function toIso(instant: Temporal.Instant): string {
  return new Date(instant.epochMilliseconds).toISOString();
}
