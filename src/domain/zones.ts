import { Temporal } from 'temporal-polyfill';
import type { OfficePolicy } from './policy.js';

/** Calendar arithmetic in the time zones of offices. Dates are `YYYY-MM-DD`, moments ISO 8601 in UTC, both as text. */

const midnights = new Map<string, string>();
/** Zones times days that a company's dates span. A full cache is cleared, so that memory stays bounded. */
const MAX_CACHED_MIDNIGHTS = 20_000;

/** Returns the IANA zone of an office. Without an office, or for one that the policy does not name, the default. */
export function getZone(office: string | null, offices: OfficePolicy): string {
  const zone = office === null ? undefined : getZonesByName(offices).get(toComparableName(office));
  return zone ?? offices.defaultZone;
}

/** Offices of people and of the policy that do not match. */
export interface OfficeMismatch {
  /** Offices of people that the policy does not name: they have the default zone. */
  readonly withoutZone: readonly string[];
  /** Offices of the policy that nobody has. */
  readonly unmatched: readonly string[];
}

export function findOfficeMismatch(known: readonly string[], offices: OfficePolicy): OfficeMismatch {
  const zones = getZonesByName(offices);
  const names = new Set(known.map(toComparableName));
  return {
    withoutZone: known.filter((office) => !zones.has(toComparableName(office))),
    unmatched: Object.keys(offices.zones).filter((office) => !names.has(toComparableName(office))),
  };
}

/** An umlaut can be one character or two, which look the same; people vary case and spaces. */
const toComparableName = (office: string): string => office.normalize('NFC').trim().toLowerCase().normalize('NFC');

/** A read asks for the zones of one policy, once for each person. */
const zonesByName = new WeakMap<OfficePolicy, ReadonlyMap<string, string>>();

function getZonesByName(offices: OfficePolicy): ReadonlyMap<string, string> {
  const known = zonesByName.get(offices);
  if (known !== undefined) return known;
  const zones = new Map(Object.entries(offices.zones).map(([office, zone]) => [toComparableName(office), zone]));
  zonesByName.set(offices, zones);
  return zones;
}

/** Returns the first moment of a day. It is not midnight if the clocks skip it (America/Sao_Paulo, Asia/Beirut). */
export function startOfDay(date: string, zone: string): string {
  const key = `${date} ${zone}`;
  const known = midnights.get(key);
  if (known !== undefined) return known;
  const moment = toIso(Temporal.PlainDate.from(date).toZonedDateTime(zone).toInstant());
  if (midnights.size >= MAX_CACHED_MIDNIGHTS) midnights.clear();
  midnights.set(key, moment);
  return moment;
}

/** Returns the moment when a day is over: the first moment of the next day. */
export function endOfDay(date: string, zone: string): string {
  return startOfDay(addDays(date, 1), zone);
}

const localDays = new Map<string, string>();
/** A read asks for one moment in a handful of zones, once for each person. */
const MAX_CACHED_DAYS = 1_000;

/** Returns the calendar day of a moment in a zone. */
export function toLocalDay(moment: string, zone: string): string {
  const key = `${moment} ${zone}`;
  const known = localDays.get(key);
  if (known !== undefined) return known;
  const day = Temporal.Instant.from(moment).toZonedDateTimeISO(zone).toPlainDate().toString();
  if (localDays.size >= MAX_CACHED_DAYS) localDays.clear();
  localDays.set(key, day);
  return day;
}

/** Checks whether a moment has come. Compares numbers: as text, year 10000 would be before all others. */
export function hasCome(moment: string, now: string): boolean {
  return Date.parse(moment) <= Date.parse(now);
}

/** Returns the moment `days` days earlier, at the same wall-clock time of the zone. */
export function subtractDays(moment: string, days: number, zone: string): string {
  return toIso(Temporal.Instant.from(moment).toZonedDateTimeISO(zone).subtract({ days }).toInstant());
}

/** Tells whether a value is a day that exists, as `YYYY-MM-DD`. */
export function isCalendarDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const start = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(value);
}

export function addDays(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/** Returns how many days `to` is after `from`; negative if it is before. */
export function countDaysBetween(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(to, { largestUnit: 'day' }).days;
}

/** Formats with milliseconds, so that equal moments are equal texts. */
function toIso(instant: Temporal.Instant): string {
  return new Date(instant.epochMilliseconds).toISOString();
}
