import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { pino } from 'pino';
import { createActivities, createPersonioAccess } from '../../activities/index.js';
import { createDispatch } from '../../activities/dispatch.js';
import type { DispatchRequest } from '../../src/contracts/internal/activities.js';
import { runWorkers } from '../../src/worker/worker-host.js';
import type { WorkerHost } from '../../src/worker/worker-host.js';
import type { Acknowledgement, LifecycleEvent } from '../../src/contracts/public/events.js';
import { SIGNAL, workflowId } from '../../src/contracts/internal/names.js';
import type { Policy } from '../../src/domain/policy.js';
import type { Database } from '../../src/store/database.js';
import { connectWorker } from '../../src/temporal/connection.js';
import type { TemporalClients, TemporalTarget } from '../../src/temporal/connection.js';
import { createWorkers } from '../../src/temporal/worker.js';
import { createNamespace, silenceRuntime, waitUntil } from './worker.js';

/** A row of the table `deliveries`. */
export interface DeliveryRow {
  readonly delivery_id: string;
  readonly subscriber: string;
  readonly purpose: string;
  readonly kind: string;
  readonly state: string;
  readonly attempts: number;
  readonly due_at: string;
  readonly sent_at: string | null;
  readonly acknowledged_at: string | null;
  readonly deadline_at: string | null;
  readonly note: string | null;
  readonly last_error: string | null;
  /** Start of the attempt under way; null between attempts. */
  readonly trying_since: string | null;
}

/** The delivery part of a worker, on real servers, and helpers to act as its subscribers. */
export interface DeliveryHarness {
  readonly temporal: TemporalClients;
  readonly target: TemporalTarget;
  /** Dispatches open events, as the end of a run does. Returns the number of people. */
  readonly dispatch: () => Promise<number>;
  /** Replaces the policy, as a worker with other settings would. */
  readonly usePolicy: (policy: Policy) => void;
  readonly listDeliveries: (employeeId: string | number) => Promise<readonly DeliveryRow[]>;
  /** Waits until a person's deliveries match and no attempt is under way. */
  readonly untilDeliveries: (
    employeeId: string | number,
    matches: (rows: readonly DeliveryRow[]) => boolean,
  ) => Promise<readonly DeliveryRow[]>;
  readonly acknowledge: (employeeId: string | number, acknowledgement: Acknowledgement) => Promise<void>;
  /** Lets time pass for one person: moves all times of their deliveries and planned events back by the interval. */
  readonly passTime: (employeeId: string | number, interval: string) => Promise<void>;
  readonly stopWorker: () => Promise<void>;
  readonly startWorker: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function startDelivery(database: Database, initialPolicy: Policy): Promise<DeliveryHarness> {
  silenceRuntime();
  const { temporal, target } = await createNamespace();
  const logger = pino({ level: 'silent' });
  let policy = initialPolicy;
  const dependencies = {
    database,
    logger,
    namespace: target.namespace,
    getClient: temporal.getClient,
    get policy(): Policy {
      return policy;
    },
    readNamespaceId: async () => readNamespaceId(temporal, target.namespace),
  };
  const personio = createPersonioAccess({ database, logger, limits: policy.reading, ring: [], connections: [] });
  const connection = await connectWorker(target, 10_000);
  let host: WorkerHost | null = null;
  const startWorker = async (): Promise<void> => {
    const activities = createActivities(
      Object.create(dependencies, { personio: { value: personio }, digest: { value: String } }) as never,
    );
    host = runWorkers(await createWorkers({ connection, namespace: target.namespace, activities, only: 'lifecycle' }));
  };
  const stopWorker = async (): Promise<void> => {
    host?.shutdown();
    await host?.done;
    host = null;
  };
  await startWorker();
  const listDeliveries = async (employeeId: string | number): Promise<readonly DeliveryRow[]> =>
    selectDeliveries(database, String(employeeId));
  const getHandle = (employeeId: string | number) =>
    temporal.client.workflow.getHandle(workflowId.employee('default', String(employeeId)));
  return {
    temporal,
    target,
    listDeliveries,
    stopWorker,
    startWorker,
    dispatch: async () => {
      // So short that even a few people take several steps.
      const dispatch = createDispatch(dependencies, 200);
      let persons = 0;
      for (let request: DispatchRequest = { connectionId: 'default' }; ;) {
        const step = await dispatch(request);
        persons += step.persons;
        if (step.left === 0) return persons;
        request = { connectionId: 'default', left: step.left };
      }
    },
    usePolicy: (next) => (policy = next),
    untilDeliveries: async (employeeId, matches) => {
      let rows: readonly DeliveryRow[] = [];
      try {
        await waitUntil(async () => {
          rows = await listDeliveries(employeeId);
          return matches(rows) && rows.every((row) => row.trying_since === null);
        }, 60_000);
      } catch {
        throw new Error(`The deliveries did not match in time: ${JSON.stringify(rows, null, 1)}`);
      }
      return rows;
    },
    acknowledge: async (employeeId, acknowledgement) =>
      getHandle(employeeId).signal(SIGNAL.acknowledge, acknowledgement),
    passTime: async (employeeId, interval) => {
      await shiftMoments(database, String(employeeId), interval);
      await getHandle(employeeId).signal(SIGNAL.agendaChanged);
    },
    close: async () => {
      await stopWorker();
      await connection.close();
      await temporal.close();
    },
  };
}

async function readNamespaceId({ connection }: TemporalClients, namespace: string): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id ?? '';
}

async function selectDeliveries(database: Database, employeeId: string): Promise<readonly DeliveryRow[]> {
  return database.query<DeliveryRow & { kind: string }>(
    `select x.*, v.kind from personio.deliveries x join personio.lifecycle_events v using (event_id)
     where x.employee_id = $1 order by x.due_at, x.delivery_id`,
    [employeeId],
  );
}

async function shiftMoments(database: Database, employeeId: string, interval: string): Promise<void> {
  const columns = ['due_at', 'next_attempt_at', 'first_attempt_at', 'deadline_at', 'sent_at'];
  await database.run(
    `update personio.deliveries
     set ${columns.map((column) => `${column} = ${column} - $2::interval`).join(', ')}
     where employee_id = $1`,
    [employeeId, interval],
  );
  await database.run(
    `update personio.lifecycle_events
     set due_at = due_at - $2::interval
     where employee_id = $1 and state = 'planned'`,
    [employeeId, interval],
  );
}

/** Lists every signal that the workflows of one id received, in order, repeats included. */
export async function listSignals(client: Client, id: string): Promise<readonly LifecycleEvent[]> {
  const { runId: latest } = await client.workflow.getHandle(id).describe();
  const runs: { runId: string; startTime: Date }[] = [];
  // The visibility store lags behind recent starts.
  await waitUntil(async () => {
    runs.length = 0;
    for await (const { runId, startTime } of client.workflow.list({ query: `WorkflowId = "${id}"` }))
      runs.push({ runId, startTime });
    return runs.some(({ runId }) => runId === latest);
  });
  runs.sort((one, other) => one.startTime.getTime() - other.startTime.getTime());
  const received: LifecycleEvent[] = [];
  for (const { runId } of runs) {
    const { events } = await client.workflow.getHandle(id, runId).fetchHistory();
    for (const event of events ?? []) {
      const payload = event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[0];
      if (payload instanceof Object) received.push(defaultPayloadConverter.fromPayload(payload));
    }
  }
  return received;
}
