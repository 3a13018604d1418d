import { hasCome } from '../../domain/zones.js';
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

/**
 * Returns one problem for each run that waits for approval. Rejected people need no action, and approved ones only if
 * the next read lets a leaving wait beyond its time.
 */
export async function findHeldProblems(
  queries: Queries,
  connectionId: string,
  held: readonly HeldPerson[],
): Promise<readonly Problem[]> {
  const undecided = held.filter(({ decision }) => decision === 'asked');
  const runIds = [...new Set(undecided.map(({ runId }) => runId))];
  const questions = await Promise.all(
    runIds.map(async (runId) => ({
      ...BRAKED,
      connectionId,
      runId,
      sentence: [
        `${(await listHoldReasons(queries, runId)).join('. ')}.`,
        ...describeLateLeavings(undecided.filter((person) => person.runId === runId)),
      ].join(' '),
      action:
        'Check in Personio whether this is intended, then run ' +
        `\`personio-sync approve ${runId} --by NAME --reason TEXT\`, or \`reject\`. ` +
        'Until then these employees keep their old state.',
    })),
  );
  const late = describeLateLeavings(held.filter(({ decision }) => decision === 'approved'));
  const action = 'Run `personio-sync sync employees`: the next complete read commits what was approved.';
  return [...questions, ...late.map((sentence) => ({ ...BRAKED, connectionId, runId: null, sentence, action }))];
}

const BRAKED = { code: 'braked', endpoint: 'employees' } as const;

/** Describes the leavings on hold whose time has passed; empty without any. */
function describeLateLeavings(people: readonly HeldPerson[]): readonly string[] {
  const now = new Date().toISOString();
  const late = people.filter(({ waitingLeavingAt: at }) => at !== null && hasCome(at, now));
  if (late.length === 0) return [];
  const subject = late.length === 1 ? '1 leaving is' : `${late.length} leavings are`;
  return [`${subject} past due and on hold, so nobody is told to close these accounts.`];
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

function formatPerson({ employeeId, eventIds, waitingLeavingAt }: HeldPerson): string {
  const leaving = waitingLeavingAt === null ? '' : `  leaving of ${waitingLeavingAt} on hold`;
  return `employee ${employeeId}  ${eventIds.join(' ')}${leaving}`.trimEnd();
}
