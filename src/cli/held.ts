import type { Queries } from '../store/database.js';
import { listHoldReasons } from '../store/employees/holds.js';
import type { HeldPerson } from '../store/employees/holds.js';

/** Ids that a line names; the JSON has them all. */
const NAMED = 20;

interface HeldProblem {
  readonly code: string;
  readonly connectionId: string;
  readonly endpoint: 'employees';
  readonly runId: string;
  readonly sentence: string;
  readonly action: string;
}

/** One problem a run that waits for somebody's decision. Who was rejected needs nobody, and who was approved only the next read. */
export async function findHeldProblems(
  queries: Queries,
  connectionId: string,
  held: readonly HeldPerson[],
): Promise<readonly HeldProblem[]> {
  const asked = held.filter(({ decision }) => decision === 'asked');
  const runIds = [...new Set(asked.map(({ runId }) => runId))];
  return Promise.all(
    runIds.map(async (runId) => ({
      code: 'braked',
      connectionId,
      endpoint: 'employees' as const,
      runId,
      sentence: `${(await listHoldReasons(queries, runId)).join('. ')}.`,
      action:
        `Check in Personio whether this is meant, then \`personio-sync approve ${runId} --by NAME --reason TEXT\`, or \`reject\`; ` +
        'until then these people keep their old state.',
    })),
  );
}

/** @returns who is held, a line for each class and decision. */
export function formatHeldPeople(held: readonly HeldPerson[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const person of held) {
    const what = `${person.decision}, ${person.class}`;
    const ids = groups.get(what);
    if (ids === undefined) groups.set(what, [person.employeeId]);
    else ids.push(person.employeeId);
  }
  return [...groups].map(([what, ids]) => {
    const rest = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
    const people = ids.length === 1 ? 'person' : 'people';
    return `  held (${what}): ${ids.length} ${people}: ${ids.slice(0, NAMED).join(', ')}${rest}`;
  });
}
