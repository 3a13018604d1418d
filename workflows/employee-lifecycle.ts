import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type {
  ProcessPendingRequest,
  PendingWork,
  EmployeeRef,
  ParsedAcknowledgement,
} from '../src/contracts/internal/activities.js';
import { QUERY, SEARCH_ATTRIBUTE, SIGNAL } from '../src/contracts/internal/names.js';
import { parseAcknowledgement } from '../src/domain/acknowledgement.js';
import { lifecycle, localLifecycle } from './proxies.js';

const acknowledgeSignal = defineSignal<[unknown]>(SIGNAL.acknowledge);
const agendaChangedSignal = defineSignal(SIGNAL.agendaChanged);
const stateQuery = defineQuery<PendingWork>(QUERY.state);

const MAX_HISTORY_EVENTS = 1_000;
/** Two clocks never agree to the millisecond: without it, a moment that is almost there would be looked at in a circle. */
const MIN_WAIT_MS = 100;
/** Temporal's limit for a summary is 200 bytes. */
const SUMMARY_CHARACTERS = 100;
const SHOWN_ITEMS = 20;

/** Plain JSON, so that it survives continue-as-new. */
export interface EmployeeLifecycleInput extends EmployeeRef {
  /** What subscribers have answered and is not stored yet. */
  readonly answers?: readonly ParsedAcknowledgement[];
  /** What the search attributes say. */
  readonly shown?: DisplayedOutcome | null;
}

type DisplayedOutcome = 'waiting' | 'overdue' | 'failed' | 'succeeded';

/**
 * One per person with open events. The agenda lives in the database; this workflow only waits for the next moment in it, for
 * answers, and for word that it has changed. So it can be lost and rebuilt, and its history stays small.
 */
export async function employeeLifecycle(input: EmployeeLifecycleInput): Promise<void> {
  const { connectionId, employeeId } = input;
  const acknowledgements: ParsedAcknowledgement[] = [...(input.answers ?? [])];
  const display = new Display(input);
  let isChanged = true;
  setHandler(stateQuery, () => display.pendingWork);
  setHandler(agendaChangedSignal, () => {
    isChanged = true;
  });
  setHandler(acknowledgeSignal, (value) => {
    acknowledgements.push(parseAcknowledgement(value));
  });
  const hasUpdates = (): boolean => isChanged || acknowledgements.length > 0;

  for (;;) {
    isChanged = false;
    const pendingWork = await processPending(input, acknowledgements, display);
    if (!hasUpdates() && pendingWork.nextInMs === null) {
      display.show('succeeded');
      return;
    }
    if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > MAX_HISTORY_EVENTS) {
      // Its first step is to look at the agenda, so word of a change is not lost either.
      await continueAsNew<typeof employeeLifecycle>({
        connectionId,
        employeeId,
        answers: acknowledgements,
        shown: display.shown,
      });
    }
    if (hasUpdates() || pendingWork.nextInMs === null) continue;
    const summary = (pendingWork.items[0]?.sentence ?? '').slice(0, SUMMARY_CHARACTERS);
    await condition(hasUpdates, Math.max(pendingWork.nextInMs, MIN_WAIT_MS), { summary });
  }
}

/** Asks for the agenda until it is answered: a person's events wait for a mended database, or a mended worker, and are not given up. */
async function processPending(
  person: EmployeeRef,
  acknowledgements: ParsedAcknowledgement[],
  display: Display,
): Promise<PendingWork> {
  const { connectionId, employeeId } = person;
  for (;;) {
    const taken = acknowledgements.splice(0);
    try {
      const pendingWork = await processPendingOnce({ connectionId, employeeId, answers: taken });
      display.showPendingWork(pendingWork);
      return pendingWork;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      acknowledgements.unshift(...taken);
      display.explain(
        `The agenda could not be looked at, which is tried again: ${error.cause?.message ?? error.message}`,
      );
      await sleep('5 minutes', { summary: 'Wait before the agenda is looked at again' });
      if (workflowInfo().historyLength > MAX_HISTORY_EVENTS)
        await continueAsNew<typeof employeeLifecycle>({
          connectionId,
          employeeId,
          answers: acknowledgements,
          shown: display.shown,
        });
    }
  }
}

/** At once where that goes; else as an activity of its own, with retries and heartbeats. */
async function processPendingOnce(request: ProcessPendingRequest): Promise<PendingWork> {
  const summary = request.answers.length > 0 ? 'Store answers, do what is due' : 'Do what is due, see what comes next';
  try {
    return await localLifecycle.advanceAgenda.executeWithOptions({ summary }, [request]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return lifecycle.advanceAgenda.executeWithOptions({ summary }, [request]);
  }
}

/** What the Temporal UI shows of a person's open events: current details, and search attributes to list by. */
class Display {
  pendingWork: PendingWork = { items: [], nextInMs: null };
  shown: DisplayedOutcome | null;

  constructor({ connectionId, employeeId, shown }: EmployeeLifecycleInput) {
    this.shown = shown ?? null;
    const known = workflowInfo().typedSearchAttributes;
    if (known.get(toSearchAttributeKey(SEARCH_ATTRIBUTE.employeeId)) !== undefined) return;
    upsertSearchAttributes([
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.connection), value: connectionId },
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.employeeId), value: employeeId },
    ]);
  }

  showPendingWork(pendingWork: PendingWork): void {
    this.pendingWork = pendingWork;
    const { items } = pendingWork;
    if (items.length === 0) {
      setCurrentDetails('Nothing is open: every event was told and acknowledged.');
      return;
    }
    const hasState = (state: string): boolean => items.some((item) => item.state === state);
    this.show(hasState('overdue') ? 'overdue' : hasState('failed') ? 'failed' : 'waiting');
    const more = items.length > SHOWN_ITEMS ? [`… and ${items.length - SHOWN_ITEMS} more`] : [];
    setCurrentDetails([...items.slice(0, SHOWN_ITEMS).map(({ sentence }) => sentence), ...more].join('\n\n'));
  }

  explain(sentence: string): void {
    setCurrentDetails(sentence);
  }

  show(shown: DisplayedOutcome): void {
    if (shown === this.shown) return;
    this.shown = shown;
    upsertSearchAttributes([{ key: toSearchAttributeKey(SEARCH_ATTRIBUTE.outcome), value: shown }]);
  }
}

function toSearchAttributeKey(name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> {
  return defineSearchAttributeKey(name, 'KEYWORD');
}
