import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { Activities } from '../contracts/internal/activities.js';
import { TASK_QUEUE } from '../contracts/internal/names.js';

/** What `worker --only` can name: one task queue each. */
export const WORKER_ROLES = ['orchestration', 'personio', 'lifecycle'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: Activities;
  /** As the clients have it; default: nothing is encrypted. */
  readonly dataConverter?: DataConverter;
  /** Default: all of them, in this one process. */
  readonly only?: WorkerRole | undefined;
}

/** Long enough for an activity to finish its page or transaction, and well below the 60 s in which a worker has to be gone. */
const SHUTDOWN_GRACE = '25 seconds';
const SHUTDOWN_FORCE = '50 seconds';

/** Concurrency and cache, per queue, so that one process stays within 300 MiB with all three. */
const LIMITS = {
  orchestration: {
    maxConcurrentActivityTaskExecutions: 8,
    maxConcurrentWorkflowTaskExecutions: 10,
    maxCachedWorkflows: 50,
  },
  personio: { maxConcurrentActivityTaskExecutions: 8 },
  // Few at a time: deliveries that are all due at once go as fast, and a sync that starts meanwhile is hardly delayed (docs/performance.md).
  lifecycle: {
    maxConcurrentActivityTaskExecutions: 12,
    maxConcurrentWorkflowTaskExecutions: 4,
    maxCachedWorkflows: 200,
  },
} as const satisfies Record<WorkerRole, Partial<WorkerOptions>>;

const TASK_QUEUE_BY_ROLE = {
  orchestration: TASK_QUEUE.sync,
  personio: TASK_QUEUE.api,
  lifecycle: TASK_QUEUE.lifecycle,
} as const satisfies Record<WorkerRole, string>;

/** One Temporal worker a task queue; all run in this process until they are shut down. */
export async function createWorkers(options: WorkersOptions): Promise<readonly Worker[]> {
  const roles = options.only === undefined ? WORKER_ROLES : [options.only];
  return Promise.all(roles.map(async (role) => createWorker(role, options)));
}

async function createWorker(role: WorkerRole, options: WorkersOptions): Promise<Worker> {
  const { connection, namespace, activities, dataConverter = {} } = options;
  return Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE_BY_ROLE[role],
    activities,
    dataConverter,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
    ...(role === 'personio' ? {} : resolveWorkflowCode('workflow-bundle', '../../workflows/index.js', dataConverter)),
    ...LIMITS[role],
  });
}

/**
 * The prebuilt bundle where there is one (`npm run build`): bundling in the process costs 80 MB and seconds.
 * Under a test runner the sources are bundled. Where payloads are encrypted, failures are too: that code is part of a bundle of its own.
 */
export function resolveWorkflowCode(
  bundle: string,
  source: string,
  { failureConverterPath }: DataConverter,
): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'interceptors'> {
  const name = failureConverterPath === undefined ? `${bundle}.js` : `${bundle}-encrypted.js`;
  const codePath = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  return {
    workflowsPath: resolveModule(source),
    interceptors: { workflowModules: [resolveModule('../../workflows/fairness.js')] },
  };
}

function resolveModule(source: string): string {
  const compiled = fileURLToPath(new URL(source, import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/\.js$/, '.ts');
}
