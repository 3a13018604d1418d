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
import type { AdvanceRequest, Agenda, AgendaRequest, Answer } from '../src/contracts/activities.js';
import { QUERY, SEARCH_ATTRIBUTE, SIGNAL } from '../src/contracts/names.js';
import { readableAnswer } from '../src/domain/acknowledgement.js';
import { lifecycle, lifecycleAtOnce } from './proxies.js';

const acknowledgeSignal = defineSignal<[unknown]>(SIGNAL.acknowledge);
const agendaChangedSignal = defineSignal(SIGNAL.agendaChanged);
const stateQuery = defineQuery<Agenda>(QUERY.state);

const EVENTS_BEFORE_CONTINUING = 1_000;
/** Two clocks never agree to the millisecond: without it, a moment that is almost there would be looked at in a circle. */
const SHORTEST_WAIT_MS = 100;
/** Temporal's limit for a summary is 200 bytes. */
const SUMMARY_CHARACTERS = 100;
const SHOWN_ITEMS = 20;

/** Plain JSON, so that it survives continue-as-new. */
export interface EmployeeLifecycleInput extends AgendaRequest {
  /** What subscribers have answered and is not stored yet. */
  readonly answers?: readonly Answer[];
  /** What the search attributes say. */
  readonly shown?: Shown | null;
}

type Shown = 'waiting' | 'overdue' | 'failed' | 'succeeded';

/**
 * One per person with open events. The agenda lives in the database; this workflow only waits for the next moment in it, for
 * answers, and for word that it has changed. So it can be lost and rebuilt, and its history stays small.
 */
export async function employeeLifecycle(input: EmployeeLifecycleInput): Promise<void> {
  const { connectionId, employeeId } = input;
  const answers: Answer[] = [...(input.answers ?? [])];
  const display = new Display(input);
  let isChanged = true;
  setHandler(stateQuery, () => display.agenda);
  setHandler(agendaChangedSignal, () => {
    isChanged = true;
  });
  setHandler(acknowledgeSignal, (answer) => {
    answers.push(readableAnswer(answer));
  });
  const hasNews = (): boolean => isChanged || answers.length > 0;

  for (;;) {
    isChanged = false;
    const agenda = await advance(input, answers, display);
    if (!hasNews() && agenda.nextInMs === null) {
      display.show('succeeded');
      return;
    }
    if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > EVENTS_BEFORE_CONTINUING) {
      // Its first step is to look at the agenda, so word of a change is not lost either.
      await continueAsNew<typeof employeeLifecycle>({ connectionId, employeeId, answers, shown: display.shown });
    }
    if (hasNews() || agenda.nextInMs === null) continue;
    const summary = (agenda.items[0]?.sentence ?? '').slice(0, SUMMARY_CHARACTERS);
    await condition(hasNews, Math.max(agenda.nextInMs, SHORTEST_WAIT_MS), { summary });
  }
}

/** Asks for the agenda until it is answered: a person's events wait for a mended database, or a mended worker, and are not given up. */
async function advance(person: AgendaRequest, answers: Answer[], display: Display): Promise<Agenda> {
  const { connectionId, employeeId } = person;
  for (;;) {
    const taken = answers.splice(0);
    try {
      const agenda = await advanceOnce({ connectionId, employeeId, answers: taken });
      display.showAgenda(agenda);
      return agenda;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      answers.unshift(...taken);
      display.explain(
        `The agenda could not be looked at, which is tried again: ${error.cause?.message ?? error.message}`,
      );
      await sleep('5 minutes', { summary: 'Wait before the agenda is looked at again' });
      if (workflowInfo().historyLength > EVENTS_BEFORE_CONTINUING)
        await continueAsNew<typeof employeeLifecycle>({ connectionId, employeeId, answers, shown: display.shown });
    }
  }
}

/** At once where that goes; else as an activity of its own, with retries and heartbeats. */
async function advanceOnce(request: AdvanceRequest): Promise<Agenda> {
  const summary = request.answers.length > 0 ? 'Store answers, do what is due' : 'Do what is due, see what comes next';
  try {
    return await lifecycleAtOnce.advanceAgenda.executeWithOptions({ summary }, [request]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return lifecycle.advanceAgenda.executeWithOptions({ summary }, [request]);
  }
}

/** What the Temporal UI shows of a person's open events: current details, and search attributes to list by. */
class Display {
  agenda: Agenda = { items: [], nextInMs: null };
  shown: Shown | null;

  constructor({ connectionId, employeeId, shown }: EmployeeLifecycleInput) {
    this.shown = shown ?? null;
    const known = workflowInfo().typedSearchAttributes;
    if (known.get(keyOf(SEARCH_ATTRIBUTE.employeeId)) !== undefined) return;
    upsertSearchAttributes([
      { key: keyOf(SEARCH_ATTRIBUTE.connection), value: connectionId },
      { key: keyOf(SEARCH_ATTRIBUTE.employeeId), value: employeeId },
    ]);
  }

  showAgenda(agenda: Agenda): void {
    this.agenda = agenda;
    const { items } = agenda;
    if (items.length === 0) {
      setCurrentDetails('Nothing is open: every event was told and acknowledged.');
      return;
    }
    const has = (state: string): boolean => items.some((item) => item.state === state);
    this.show(has('overdue') ? 'overdue' : has('failed') ? 'failed' : 'waiting');
    const more = items.length > SHOWN_ITEMS ? [`… and ${items.length - SHOWN_ITEMS} more`] : [];
    setCurrentDetails([...items.slice(0, SHOWN_ITEMS).map(({ sentence }) => sentence), ...more].join('\n\n'));
  }

  explain(sentence: string): void {
    setCurrentDetails(sentence);
  }

  show(shown: Shown): void {
    if (shown === this.shown) return;
    this.shown = shown;
    upsertSearchAttributes([{ key: keyOf(SEARCH_ATTRIBUTE.outcome), value: shown }]);
  }
}

function keyOf(name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> {
  return defineSearchAttributeKey(name, 'KEYWORD');
}
