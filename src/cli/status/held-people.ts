import type { Queries } from '../../store/database.js';
import { listHoldReasons } from '../../store/employees/holds.js';
import type { HeldPerson } from '../../store/employees/holds.js';
import type { Problem } from './find-problems.js';

/** Most people that are listed for each class; the JSON document has them all. */
const MAX_LISTED = 20;
const DECISIONS: Readonly<Record<HeldPerson['decision'], string>> = {
  asked: 'waiting for approval',
  approved: 'approved, waiting for the next read',
  rejected: 'rejected',
};

/** Returns one problem for each run that waits for approval. Approved and rejected people need no action. */
export async function findHeldProblems(
  queries: Queries,
  connectionId: string,
  held: readonly HeldPerson[],
): Promise<readonly Problem[]> {
  const undecided = held.filter(({ decision }) => decision === 'asked');
  const runIds = [...new Set(undecided.map(({ runId }) => runId))];
  return Promise.all(
    runIds.map(async (runId) => ({
      code: 'braked',
      connectionId,
      endpoint: 'employees' as const,
      runId,
      sentence: `${(await listHoldReasons(queries, runId)).join('. ')}.`,
      action:
        'Check in Personio whether this is intended, then run ' +
        `\`personio-sync approve ${runId} --by NAME --reason TEXT\`, or \`reject\`. ` +
        'Until then these employees keep their old state.',
    })),
  );
}

/** Returns the lines of held people: a heading for each class and decision, then each person's event ids. */
export function formatHeldPeople(held: readonly HeldPerson[]): readonly string[] {
  const groups = new Map<string, HeldPerson[]>();
  for (const person of held) {
    const heading = `held (${person.class}, ${DECISIONS[person.decision]})`;
    const group = groups.get(heading);
    if (group === undefined) groups.set(heading, [person]);
    else group.push(person);
  }
  return [...groups].flatMap(([heading, people]) => [
    `  ${heading}: ${people.length} ${people.length === 1 ? 'employee' : 'employees'}`,
    ...people.slice(0, MAX_LISTED).map((person) => `    ${formatPerson(person)}`),
    ...(people.length > MAX_LISTED ? [`    and ${people.length - MAX_LISTED} more, listed by \`status --json\``] : []),
  ]);
}

function formatPerson({ employeeId, eventIds }: HeldPerson): string {
  return `employee ${employeeId}  ${eventIds.join(' ')}`.trimEnd();
}
