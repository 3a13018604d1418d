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
import type {
  ProcessPendingRequest,
  PendingWork,
  EmployeeRef,
  ParsedAcknowledgement,
} from '../src/contracts/internal/activities.js';
import { withCurrentNames } from '../src/contracts/internal/former-names.js';
import { QUERY, SEARCH_ATTRIBUTE, SIGNAL, toSearchAttributeKey } from '../src/contracts/internal/names.js';
import { parseAcknowledgement } from '../src/domain/acknowledgement.js';
import { lifecycle, localLifecycle } from './proxies.js';

const acknowledgeSignal = defineSignal<[unknown]>(SIGNAL.acknowledge);
const agendaChangedSignal = defineSignal(SIGNAL.agendaChanged);
const stateQuery = defineQuery<PendingWork>(QUERY.state);

/** Events after which the workflow continues as new. */
const MAX_HISTORY_EVENTS = 1_000;
/**
 * The clocks of Temporal and the database differ by milliseconds: without it, an almost due item would cause a busy
 * loop.
 */
const MIN_WAIT_MS = 100;
/** Temporal's limit for a summary is 200 bytes. */
const SUMMARY_CHARACTERS = 100;
const SHOWN_ITEMS = 20;

/** Plain JSON, so that it survives continue-as-new. */
export interface EmployeeLifecycleInput extends EmployeeRef {
  /** Acknowledgements that are not stored yet. */
  readonly acknowledgements?: readonly ParsedAcknowledgement[];
  /** Value of the search attribute for the outcome. */
  readonly shown?: DisplayedOutcome | null;
}

type DisplayedOutcome = 'waiting' | 'overdue' | 'failed' | 'succeeded';

/**
 * One workflow per employee with open events. The pending work is in the database; this workflow only waits until the
 * next item is due, for acknowledgements, and for the signal that pending work has changed. So it can be lost and
 * rebuilt, and its history stays small.
 */
export async function employeeLifecycle(rawInput: EmployeeLifecycleInput): Promise<void> {
  const input = withCurrentNames(rawInput);
  const { connectionId, employeeId } = input;
  const acknowledgements: ParsedAcknowledgement[] = [...(input.acknowledgements ?? [])];
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
      // The next execution begins by processing pending work, so a signal of a change is not lost.
      await continueAsNew<typeof employeeLifecycle>({
        connectionId,
        employeeId,
        acknowledgements,
        shown: display.shown,
      });
    }
    if (hasUpdates() || pendingWork.nextInMs === null) continue;
    const summary = (pendingWork.items[0]?.sentence ?? '').slice(0, SUMMARY_CHARACTERS);
    await condition(hasUpdates, Math.max(pendingWork.nextInMs, MIN_WAIT_MS), { summary });
  }
}

/**
 * Processes pending work until it succeeds: events wait until the database or the worker is repaired, and never
 * expire.
 */
async function processPending(
  person: EmployeeRef,
  acknowledgements: ParsedAcknowledgement[],
  display: Display,
): Promise<PendingWork> {
  const { connectionId, employeeId } = person;
  for (;;) {
    const taken = acknowledgements.splice(0);
    try {
      const pendingWork = await processPendingOnce({ connectionId, employeeId, acknowledgements: taken });
      display.showPendingWork(pendingWork);
      return pendingWork;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      acknowledgements.unshift(...taken);
      display.explain(
        `Pending work could not be processed. Next attempt in 5 minutes. ${error.cause?.message ?? error.message}`,
      );
      await sleep('5 minutes', { summary: 'Wait before the next attempt' });
      if (workflowInfo().historyLength > MAX_HISTORY_EVENTS)
        await continueAsNew<typeof employeeLifecycle>({
          connectionId,
          employeeId,
          acknowledgements,
          shown: display.shown,
        });
    }
  }
}

/** Runs the step as a local activity, and as a regular one with retries and heartbeats if that fails. */
async function processPendingOnce(request: ProcessPendingRequest): Promise<PendingWork> {
  const summary =
    request.acknowledgements.length > 0 ? 'Store acknowledgements, process pending work' : 'Process pending work';
  try {
    return await localLifecycle.advanceAgenda.executeWithOptions({ summary }, [request]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return lifecycle.advanceAgenda.executeWithOptions({ summary }, [request]);
  }
}

/** Shows an employee's open events in the Temporal UI: current details, and search attributes to list by. */
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
      setCurrentDetails('Nothing is open: every event was delivered and acknowledged.');
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
