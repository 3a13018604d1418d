import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ENDPOINTS, toScheduleId } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import { findOfficeMismatch } from '../../domain/zones.js';
import type { OfficeMismatch } from '../../domain/zones.js';
import { listCurrentAlarms } from '../../store/employees/attribute-profile.js';
import { listHeldPeople } from '../../store/employees/holds.js';
import type { HeldPerson } from '../../store/employees/holds.js';
import { listOffices } from '../../store/employees/offices.js';
import { countDeliveries, findSecretSetAt, readEndpointStatus } from '../../store/status.js';
import type { DeliveryCounts } from '../../store/status.js';
import { findCurrentUnreadable } from '../../store/unreadable.js';
import { isPolled } from '../runs/require-worker.js';
import type { Session } from '../session.js';
import {
  createNoWorkerProblem,
  findDeliveryProblems,
  findOfficeProblems,
  findRunProblems,
  findScheduleProblems,
  findSecretProblems,
  findUnreadableProblems,
} from './find-problems.js';
import type { Problem, ScheduleStatus } from './find-problems.js';
import { findHeldProblems } from './held-people.js';

/** State of one endpoint, as `--json` prints it. */
export interface EndpointSummary {
  readonly endpoint: Endpoint;
  readonly outcome: string | null;
  readonly lastSuccessAt: string | null;
  readonly ageSeconds: number | null;
  readonly rows: number;
  readonly nextRunAt: string | null;
}

/** State of one connection, as `--json` prints it. */
export interface ConnectionStatus {
  readonly connectionId: string;
  readonly secretSetAt: string | null;
  readonly secretDueAt: string | null;
  readonly endpoints: readonly EndpointSummary[];
  readonly held: readonly HeldPerson[];
  readonly offices: OfficeMismatch;
}

/** The document of `status --json`. */
export interface StatusReport {
  readonly healthy: boolean;
  readonly connections: readonly ConnectionStatus[];
  readonly deliveries: DeliveryCounts;
  readonly problems: readonly Problem[];
}

/** A part of the status, with the problems that were found in it. */
interface Findings<T> {
  readonly status: T;
  readonly problems: readonly Problem[];
}

const DAY_MS = 86_400_000;

/** Reads the state of everything from PostgreSQL and Temporal. */
export async function collectStatus(session: Session): Promise<StatusReport> {
  const connections: ConnectionStatus[] = [];
  const problems: Problem[] = (await isPolled(session.temporal)) ? [] : [createNoWorkerProblem()];
  for (const connectionId of await session.listKnownConnectionIds()) {
    const found = await collectConnection(session, connectionId);
    connections.push(found.status);
    problems.push(...found.problems);
  }
  const deliveries = await countDeliveries(session.database);
  problems.push(...findDeliveryProblems(deliveries));
  return { healthy: problems.length === 0, connections, deliveries, problems };
}

async function collectConnection(session: Session, connectionId: string): Promise<Findings<ConnectionStatus>> {
  const { database, settings } = session;
  const { secretRotationDays } = settings.policy;
  const endpoints: EndpointSummary[] = [];
  const problems: Problem[] = [];
  for (const endpoint of ENDPOINTS) {
    const found = await collectEndpoint(session, connectionId, endpoint);
    endpoints.push(found.status);
    problems.push(...found.problems);
  }
  for (const { code, sentence, action } of await listCurrentAlarms(database, connectionId))
    problems.push({ connectionId, endpoint: 'employees', runId: null, code, sentence, action });
  const secretSetAt = await findSecretSetAt(database, connectionId);
  problems.push(...findSecretProblems(connectionId, secretSetAt, secretRotationDays));
  const secretDueAt =
    secretSetAt === null ? null : new Date(Date.parse(secretSetAt) + secretRotationDays * DAY_MS).toISOString();
  const held = await listHeldPeople(database, connectionId);
  problems.push(...(await findHeldProblems(database, connectionId, held)));
  const offices = findOfficeMismatch(await listOffices(database, connectionId), settings.policy.offices);
  problems.push(...findOfficeProblems(connectionId, offices, settings.policy.offices));
  return { status: { connectionId, secretSetAt, secretDueAt, endpoints, held, offices }, problems };
}

async function collectEndpoint(
  { database, temporal, settings }: Session,
  connectionId: string,
  endpoint: Endpoint,
): Promise<Findings<EndpointSummary>> {
  const found = await readEndpointStatus(database, connectionId, endpoint);
  const schedule = await readScheduleStatus(temporal.client, connectionId, endpoint);
  const { outcome, lastSuccessAt, rows, runId } = found;
  const ageSeconds = lastSuccessAt === null ? null : Math.round((Date.now() - Date.parse(lastSuccessAt)) / 1_000);
  const nextRunAt = schedule?.nextRunAt ?? null;
  const location = { connectionId, endpoint, runId };
  const isScheduled = settings.policy.schedule.cron[endpoint] !== null;
  return {
    status: { endpoint, outcome, lastSuccessAt, ageSeconds, rows, nextRunAt },
    problems: isScheduled
      ? [
          ...findScheduleProblems(location, schedule),
          ...findRunProblems(location, found, ageSeconds),
          ...findUnreadableProblems(location, await findCurrentUnreadable(database, connectionId, endpoint)),
        ]
      : [],
  };
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
