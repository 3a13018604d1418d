import type { EventKind } from '../contracts/public/events.js';
import type { Phase } from './employment.js';
import { toEffectiveMoment } from './event-draft.js';
import type { DecideContext, DecideInput, PersonState } from './lifecycle.js';
import { getZone, hasCome } from './zones.js';

/** Returns the phase just before a read, in which planned events may have fallen due since the last one. */
export function findPhase(previous: PersonState, input: DecideInput, context: DecideContext): Phase {
  const hasFallenDue = (kind: EventKind, date: string | null): boolean => {
    if (date === null) return false;
    const isPast = (zone: string): boolean => hasCome(toEffectiveMoment(kind, date, zone), input.collectedAt);
    const planned = previous.planned.filter((event) => event.kind === kind && event.effectiveDate === date);
    if (planned.length > 0) return planned.every((event) => event.isOnHold !== true && isPast(event.timeZone));
    return isPast(getZone(previous.record.office, context.offices));
  };
  const applyDueEnd = (): Phase => (hasFallenDue('leaver.left', previous.announcedEnd) ? 'out' : 'employed');
  if (previous.deletedAt !== null) return 'out';
  switch (previous.lifecycleState) {
    case null:
      // Earlier versions left no state where a return was withdrawn.
      return previous.episode > 1 ? 'out' : 'none';
    case 'announced':
      return hasFallenDue('joiner.started', previous.announcedStart) ? applyDueEnd() : 'announced';
    case 'employed':
    case 'on leave':
    case 'leaving':
      return applyDueEnd();
    case 'left':
      return 'out';
  }
}
