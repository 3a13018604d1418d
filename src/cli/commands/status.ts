import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { readSettings } from '../../config/settings.js';
import { ENDPOINTS, TASK_QUEUE, toScheduleId } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import { listCurrentAlarms } from '../../store/employees/attribute-profile.js';
import { requireSchema } from '../../store/migrate.js';
import { countDeliveries, findSecretSetAt, readEndpointStatus } from '../../store/status.js';
import type { DeliveryCounts, EndpointStatus } from '../../store/status.js';
import { listHeldPeople } from '../../store/employees/holds.js';
import type { HeldPerson } from '../../store/employees/holds.js';
import type { CommandDefinition } from '../command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';
import type { Output } from '../output.js';
import { formatHeldPeople, findHeldProblems } from '../held.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import { isPolled } from '../run-sync.js';
import { describeRotation, calculateSecretAge, formatSecretNotice } from '../../worker/secret-age.js';

interface Problem {
  readonly code: string;
  readonly connectionId: string | null;
  readonly endpoint: Endpoint | null;
  readonly runId: string | null;
  readonly sentence: string;
  readonly action: string;
}

interface EndpointSummary {
  readonly endpoint: Endpoint;
  readonly outcome: string | null;
  readonly lastSuccessAt: string | null;
  readonly ageSeconds: number | null;
  readonly rows: number;
  readonly nextRunAt: string | null;
}

interface ConnectionStatus {
  readonly connectionId: string;
  readonly secretSetAt: string | null;
  readonly secretDueAt: string | null;
  readonly endpoints: readonly EndpointSummary[];
  readonly held: readonly HeldPerson[];
}

/** A success that is older than this needs somebody, whatever the schedule says: 36 hours outlast one missed day. */
const STALE_SECONDS = 36 * 3_600;
const DAY_MS = 86_400_000;

/** `status` */
export const statusCommand: CommandDefinition = (program, finish) => {
  program
    .command('status')
    .description('one screen: what ran, what is stuck, why, and what to do; exit 1 if anything needs a person')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const session = await openSession(readSettings(), 'status');
  try {
    await requireSchema(session.database);
    const connections: ConnectionStatus[] = [];
    const problems: Problem[] = [...(await findWorkerProblems(session))];
    for (const connectionId of await session.listKnownConnectionIds()) {
      const { status, found } = await readConnectionStatus(session, connectionId);
      connections.push(status);
      problems.push(...found);
    }
    const deliveries = await countDeliveries(session.database);
    problems.push(...findDeliveryProblems(deliveries));
    const healthy = problems.length === 0;
    output.printJson({ healthy, connections, deliveries, problems });
    show(output, connections, deliveries, problems);
    return healthy ? EXIT.done : EXIT.failed;
  } finally {
    await session.close();
  }
}

async function findWorkerProblems({ temporal }: Session): Promise<readonly Problem[]> {
  if (await isPolled(temporal)) return [];
  return [
    {
      code: 'no-worker',
      connectionId: null,
      endpoint: null,
      runId: null,
      sentence: `No worker polls the task queue ${TASK_QUEUE.sync}.`,
      action: 'Start one with `personio-sync worker`.',
    },
  ];
}

async function readConnectionStatus(
  session: Session,
  connectionId: string,
): Promise<{ readonly status: ConnectionStatus; readonly found: readonly Problem[] }> {
  const { database, temporal, settings } = session;
  const endpoints: EndpointSummary[] = [];
  const found: Problem[] = [];
  for (const endpoint of ENDPOINTS) {
    const endpointStatus = await readEndpointStatus(database, connectionId, endpoint);
    const schedule = await readScheduleStatus(temporal.client, connectionId, endpoint);
    const ageSeconds =
      endpointStatus.lastSuccessAt === null
        ? null
        : Math.round((Date.now() - Date.parse(endpointStatus.lastSuccessAt)) / 1_000);
    const { outcome, lastSuccessAt, rows } = endpointStatus;
    endpoints.push({ endpoint, outcome, lastSuccessAt, ageSeconds, rows, nextRunAt: schedule?.nextRunAt ?? null });
    if (settings.policy.schedule.cron[endpoint] !== null) {
      const location = { connectionId, endpoint, runId: endpointStatus.runId };
      found.push(...findScheduleProblems(location, schedule), ...findRunProblems(location, endpointStatus, ageSeconds));
    }
  }
  for (const { code, sentence, action } of await listCurrentAlarms(database, connectionId))
    found.push({ connectionId, endpoint: 'employees', runId: null, code, sentence, action });
  const setAt = await findSecretSetAt(database, connectionId);
  found.push(...findSecretProblems(connectionId, setAt, settings.policy.secretRotationDays));
  const secretDueAt =
    setAt === null ? null : new Date(Date.parse(setAt) + settings.policy.secretRotationDays * DAY_MS).toISOString();
  const held = await listHeldPeople(database, connectionId);
  found.push(...(await findHeldProblems(database, connectionId, held)));
  return { status: { connectionId, secretSetAt: setAt, secretDueAt, endpoints, held }, found };
}

function findSecretProblems(connectionId: string, setAt: string | null, rotationDays: number): readonly Problem[] {
  const age = calculateSecretAge(setAt, rotationDays);
  if (age?.isDue !== true) return [];
  const sentence = `The secret of ${connectionId} is ${age.days} days old, and is to be changed every ${rotationDays}.`;
  return [
    {
      code: 'secret-due',
      connectionId,
      endpoint: null,
      runId: null,
      sentence,
      action: describeRotation(connectionId),
    },
  ];
}

interface ScheduleStatus {
  readonly nextRunAt: string | null;
  readonly isPaused: boolean;
  readonly note: string | null;
}

async function readScheduleStatus(
  client: Client,
  connectionId: string,
  endpoint: Endpoint,
): Promise<ScheduleStatus | null> {
  try {
    const { info, state } = await client.schedule.getHandle(toScheduleId(connectionId, endpoint)).describe();
    return {
      nextRunAt: info.nextActionTimes[0]?.toISOString() ?? null,
      isPaused: state.paused,
      note: state.note ?? null,
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

type ProblemLocation = Pick<Problem, 'connectionId' | 'endpoint' | 'runId'>;

function findScheduleProblems(location: ProblemLocation, schedule: ScheduleStatus | null): readonly Problem[] {
  if (schedule === null) {
    return [
      {
        ...location,
        code: 'no-schedule',
        sentence: `The ${location.endpoint ?? ''} have no schedule.`,
        action: 'Run `personio-sync schedules apply`.',
      },
    ];
  }
  if (!schedule.isPaused) return [];
  const why = schedule.note === null ? '' : ` (${schedule.note})`;
  const action = `Unpause it in the Temporal UI, or with \`temporal schedule toggle --unpause --schedule-id ${toScheduleId(location.connectionId ?? '', location.endpoint ?? 'employees')}\`.`;
  return [
    {
      ...location,
      code: 'schedule-paused',
      sentence: `The schedule of the ${location.endpoint ?? ''} is paused${why}.`,
      action,
    },
  ];
}

function findRunProblems(
  location: ProblemLocation,
  endpointStatus: EndpointStatus,
  ageSeconds: number | null,
): readonly Problem[] {
  const endpoint = location.endpoint ?? '';
  const { outcome } = endpointStatus;
  const sentence = endpointStatus.message ?? `The last run of the ${endpoint} left no message.`;
  const createProblem = (code: string, sentence: string, action: string): readonly Problem[] => [
    { ...location, code, sentence, action },
  ];
  const again = `Run \`personio-sync sync ${endpoint}\` once it is mended.`;
  switch (outcome) {
    case null:
      return createProblem(
        'never-synced',
        `The ${endpoint} were never read.`,
        `Run \`personio-sync sync ${endpoint}\`, or wait for the schedule.`,
      );
    case 'failed':
    case 'incomplete':
      return createProblem(`run-${outcome}`, sentence, again);
    case 'braked':
    case 'succeeded':
    case 'cancelled':
    case 'preview':
      return isStale(ageSeconds)
        ? createProblem('stale', `The ${endpoint} were last read whole more than 36 hours ago.`, again)
        : [];
  }
}

function isStale(ageSeconds: number | null): boolean {
  return ageSeconds !== null && ageSeconds > STALE_SECONDS;
}

function findDeliveryProblems({ overdue, failed, dead }: DeliveryCounts): readonly Problem[] {
  const nowhere = { connectionId: null, endpoint: null, runId: null };
  const open = overdue + failed;
  return [
    ...(open === 0
      ? []
      : [
          {
            ...nowhere,
            code: 'deliveries-open',
            sentence: `${overdue} deliveries are overdue, ${failed} were answered with failed.`,
            action: 'See `personio-sync deliveries --state overdue` (or `failed`) for the reasons.',
          },
        ]),
    ...(dead === 0
      ? []
      : [
          {
            ...nowhere,
            code: 'deliveries-dead',
            sentence: `${dead} deliveries are dead: nobody acknowledged them in 28 days.`,
            action:
              'See `personio-sync deliveries --dead`, tell the team by other means, then `personio-sync redeliver`.',
          },
        ]),
  ];
}

function show(
  output: Output,
  connections: readonly ConnectionStatus[],
  deliveries: DeliveryCounts,
  problems: readonly Problem[],
): void {
  for (const { connectionId, secretSetAt: setAt, secretDueAt, endpoints, held } of connections) {
    output.say(`connection ${connectionId}`);
    const notice = formatSecretNotice(connectionId, setAt, secretDueAt);
    if (notice !== null) output.say(`  ${notice}`);
    const rows = endpoints.map(({ endpoint, outcome, ageSeconds, rows: count, nextRunAt }) => [
      `  ${endpoint}`,
      outcome ?? 'never ran',
      ageSeconds === null ? 'no success yet' : `success ${formatAge(ageSeconds)} ago`,
      `${count} rows`,
      `next ${nextRunAt ?? 'never'}`,
    ]);
    for (const line of [...formatTable(rows), ...formatHeldPeople(held)]) output.say(line);
  }
  const { waiting, sent, overdue, failed, dead } = deliveries;
  output.say(`deliveries: ${waiting} waiting, ${sent} sent, ${overdue} overdue, ${failed} failed, ${dead} dead`);
  if (problems.length === 0) output.say('Nothing needs a person.');
  for (const { connectionId, endpoint, sentence, action } of problems) {
    const place = [connectionId, endpoint].filter((part) => part !== null).join(' ');
    output.say(`! ${place === '' ? '' : `${place}: `}${sentence} ${action}`);
  }
}

function formatAge(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
