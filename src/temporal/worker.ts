import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { Activities } from '../contracts/internal/activities.js';
import { TASK_QUEUE } from '../contracts/internal/names.js';

/** Short name of a task queue, which `worker --only` takes. */
export type Queue = keyof typeof TASK_QUEUE;
export const QUEUES = ['sync', 'api', 'lifecycle'] as const satisfies readonly Queue[];

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: Activities;
  /** That of the clients. Default: nothing is encrypted. */
  readonly dataConverter?: DataConverter;
  /** Default: all queues. */
  readonly only?: Queue | undefined;
}

/**
 * Long enough for an activity to finish its page or transaction, and well below the 60 s within which a worker must
 * exit.
 */
const SHUTDOWN_GRACE = '25 seconds';
const SHUTDOWN_FORCE = '50 seconds';

/** Concurrency and cache per queue, so that one process with all three stays within 300 MiB. */
const LIMITS = {
  sync: {
    maxConcurrentActivityTaskExecutions: 8,
    maxConcurrentWorkflowTaskExecutions: 10,
    maxCachedWorkflows: 50,
  },
  api: { maxConcurrentActivityTaskExecutions: 8 },
  // More slots make deliveries that are due at once no faster, and delay a sync that starts then (docs/performance.md).
  lifecycle: {
    maxConcurrentActivityTaskExecutions: 12,
    maxConcurrentWorkflowTaskExecutions: 4,
    maxCachedWorkflows: 200,
  },
} as const satisfies Record<Queue, Partial<WorkerOptions>>;

/** Creates one Temporal worker per task queue. */
export async function createWorkers(options: WorkersOptions): Promise<readonly Worker[]> {
  const queues = options.only === undefined ? QUEUES : [options.only];
  return Promise.all(queues.map(async (queue) => createWorker(queue, options)));
}

async function createWorker(queue: Queue, options: WorkersOptions): Promise<Worker> {
  const { connection, namespace, activities, dataConverter = {} } = options;
  return Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE[queue],
    activities,
    dataConverter,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
    ...(queue === 'api' ? {} : resolveWorkflowCode('workflow-bundle', '../../workflows/index.js', dataConverter)),
    ...LIMITS[queue],
  });
}

/**
 * Returns the prebuilt bundle (`npm run build`), since bundling in the process costs 80 MB and seconds, or the
 * sources if there is none, as under a test runner. With encrypted payloads, failures are encrypted too, by a bundle
 * of its own.
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
