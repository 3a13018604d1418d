import { describeUnreadable } from '../../domain/unreadable.js';
import type { ProfileSummary } from './attribute-profile.js';
import type { BrakeOutcome } from './brake.js';
import type { CarriedQuestions } from './carried-questions.js';
import type { LeftOutCounts } from './left-out.js';
import type { MergeCounts } from './merge.js';

/** Result of a read. */
export interface ReadSummary {
  readonly received: number;
  readonly leftOut: LeftOutCounts;
  /** Ids of people that the list omits and whose records were read by id. */
  readonly readById: readonly string[];
  readonly braking: BrakeOutcome;
}

/** Result of a commit. */
export interface CommitSummary extends ReadSummary {
  readonly counts: MergeCounts;
  readonly events: number;
  readonly isBaseline: boolean;
  readonly profile: ProfileSummary | null;
  readonly carried: CarriedQuestions;
  readonly unreadableCount: number;
}

/** Returns the message of a committed run. */
export function formatCommit(summary: CommitSummary): string {
  const { received, counts, events, braking, isBaseline, profile, leftOut, readById, carried, unreadableCount } =
    summary;
  const { inserted, updated, missing, held } = counts;
  const unchanged = received - inserted - updated - held;
  const figures =
    `${received} employees received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ` +
    `${missing} missing, ${held} held.`;
  const alarms = [
    ...formatReadById(readById),
    ...formatUnreadable(unreadableCount),
    ...(profile?.alarms.map(({ sentence }) => sentence) ?? []),
  ];
  if (isBaseline) {
    const ends = events === 1 ? '1 upcoming start or end' : `${events} upcoming starts and ends`;
    const baseline = `This first read is the baseline: it emits no events for the past and plans events for ${ends}.`;
    return [figures, baseline, ...alarms].join(' ');
  }
  return [
    figures,
    `${events} lifecycle ${events === 1 ? 'event' : 'events'}.`,
    ...braking.why.map((sentence) => `${sentence}.`),
    ...(leftOut.people === 0 ? [] : [formatLeftOut(leftOut.people)]),
    ...(carried.approved === 0
      ? []
      : [`Of them, ${carried.approved} approved: that approval stays valid for the next read.`]),
    ...alarms,
  ].join(' ');
}

/** Returns the message of a preview. */
export function formatPreview({ received, leftOut, readById, braking }: ReadSummary, unreadableCount: number): string {
  return [
    formatReceived(received),
    'Nothing was changed: this was a preview.',
    ...braking.why.map((sentence) => `${sentence}.`),
    ...(leftOut.people === 0 ? [] : [formatLeftOut(leftOut.people)]),
    ...formatReadById(readById),
    ...formatUnreadable(unreadableCount),
  ].join(' ');
}

/** Returns the message of a run that left out everybody. */
export function formatAllLeftOut(received: number): string {
  return `${formatReceived(received)} Nothing was changed. ${formatLeftOut(received)}`;
}

const formatUnreadable = (records: number): readonly string[] =>
  [describeUnreadable(records)].filter((sentence) => sentence !== null);

function formatReadById(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  const subject = ids.length === 1 ? '1 employee was' : `${ids.length} employees were`;
  return [`${subject} missing from the list, and read by id: see \`readById\` in the run's detail.`];
}

const formatReceived = (received: number): string => `${received} employees received.`;

function formatLeftOut(people: number): string {
  const subject = people === 1 ? '1 employee was left out' : `${people} employees were left out`;
  return `${subject}, because another read committed them during this one: the next run reads them again.`;
}
