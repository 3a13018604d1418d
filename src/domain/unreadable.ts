/** Number of records of a read in which one attribute cannot be read. */
export interface UnreadableCount {
  readonly attribute: string;
  readonly records: number;
}

/** Share of the records from which an attribute's format has changed, and the number that is never too many. */
const MAX_SHARE = 0.05;
const MAX_RECORDS = 10;

/**
 * Returns the attributes that cannot be read in so many records that their format must have changed. A few bad values
 * are entered by people; keeping the last value of everybody would hide every change.
 */
export function findChangedFormats(counts: readonly UnreadableCount[], received: number): readonly UnreadableCount[] {
  return counts.filter(({ records }) => isTooMany(records, received));
}

/** Checks whether so many records cannot be what people entered. */
export function isTooMany(records: number, received: number): boolean {
  return records > Math.max(MAX_RECORDS, received * MAX_SHARE);
}

/** Returns the sentence about unreadable values for the message of a run; null where there are none. */
export function describeUnreadable(records: number): string | null {
  if (records === 0) return null;
  const subject = records === 1 ? '1 record has values' : `${records} records have values`;
  return `${subject} that cannot be read: the last ones stand. See \`unreadable\` in the run's detail.`;
}
