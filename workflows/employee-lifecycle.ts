import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Agenda, AgendaRequest } from '../src/contracts/activities.js';
import type { Acknowledgement } from '../src/contracts/events.js';
import { QUERY, SIGNAL } from '../src/contracts/names.js';
import { readableAnswer } from '../src/domain/acknowledgement.js';
import { lifecycle } from './proxies.js';

const acknowledgeSignal = defineSignal<[Acknowledgement]>(SIGNAL.acknowledge);
const agendaChangedSignal = defineSignal(SIGNAL.agendaChanged);
const stateQuery = defineQuery<Agenda>(QUERY.state);

const EVENTS_BEFORE_CONTINUING = 1_000;

type Answer = Parameters<typeof lifecycle.recordAcknowledgements>[0]['acknowledgements'][number];

/** Plain JSON, so that it survives continue-as-new. */
export interface EmployeeLifecycleInput extends AgendaRequest {
  readonly answers?: readonly Answer[];
}

/**
 * One per person with open events. The agenda lives in the database; this workflow only waits for the next moment in it, for
 * answers, and for word that it has changed. So it can be lost and rebuilt, and its history stays small.
 */
export async function employeeLifecycle(input: EmployeeLifecycleInput): Promise<void> {
  const { connectionId, employeeId } = input;
  const answers: Answer[] = [...(input.answers ?? [])];
  let agenda: Agenda = { items: [], nextAt: null, sentence: '' };
  let isChanged = true;
  setHandler(stateQuery, () => agenda);
  setHandler(agendaChangedSignal, () => {
    isChanged = true;
  });
  setHandler(acknowledgeSignal, (answer) => {
    answers.push(readableAnswer(answer));
  });
  const hasNews = (): boolean => isChanged || answers.length > 0;

  for (;;) {
    isChanged = false;
    const taken = answers.splice(0);
    if (taken.length > 0) {
      await lifecycle.recordAcknowledgements.executeWithOptions({ summary: 'Store what subscribers answered' }, [
        { connectionId, employeeId, acknowledgements: taken },
      ]);
    }
    agenda = await lifecycle.advanceAgenda.executeWithOptions({ summary: 'Do what is due, see what comes next' }, [
      { connectionId, employeeId },
    ]);
    setCurrentDetails(agenda.sentence);
    if (!hasNews()) {
      if (agenda.nextAt === null) return;
      if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > EVENTS_BEFORE_CONTINUING) {
        await continueAsNew<typeof employeeLifecycle>({ connectionId, employeeId, answers });
      }
      const waitMs = Date.parse(agenda.nextAt) - Date.now();
      if (waitMs > 0) await condition(hasNews, waitMs, { summary: agenda.sentence.slice(0, 200) });
    }
  }
}
