import { SIGNAL as SUBSCRIBER_SIGNAL } from '../public/names.js';

/**
 * Names that outlive a deploy: Temporal stores them, operators type them, other teams rely on them. Changing one is a
 * migration. Ids are built here and nowhere else.
 */

/** The parts of Personio that are read, with one schedule and one sync workflow type each. */
export const ENDPOINTS = ['employees', 'departments', 'attendances', 'time-off-types'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** Three queues, so that ten thousand deliveries starve no sync, and calls to Personio can run on their own workers. */
export const TASK_QUEUE = {
  sync: 'personio-sync',
  api: 'personio-api',
  lifecycle: 'personio-lifecycle',
} as const;

export const WORKFLOW_TYPE = {
  employees: 'syncEmployees',
  departments: 'syncDepartments',
  attendances: 'syncAttendances',
  'time-off-types': 'syncTimeOffTypes',
  detectLifecycleTransitions: 'detectLifecycleTransitions',
  employeeLifecycle: 'employeeLifecycle',
  refreshEmployee: 'refreshEmployee',
  applyRetention: 'applyRetention',
} as const;

/**
 * Search attributes, all of them keywords, registered by `personio-sync migrate`. Never put personal data into one: the
 * payload codec does not encrypt them.
 */
export const SEARCH_ATTRIBUTE = {
  connection: 'PersonioConnection',
  endpoint: 'PersonioEndpoint',
  employeeId: 'PersonioEmployeeId',
  outcome: 'PersonioOutcome',
} as const;

/** Returns the key by which Temporal's typed API sets and reads one of our search attributes. */
export function toSearchAttributeKey(name: string): { readonly name: string; readonly type: 'KEYWORD' } {
  return { name, type: 'KEYWORD' };
}

/** Updates by which an operator decides on a braked run's `detectLifecycleTransitions`. */
export const UPDATE = { approve: 'approve', reject: 'reject' } as const;

export const QUERY = { progress: 'progress', state: 'state' } as const;

/** Signals between our own workflows, besides those of the contract with subscribers. */
export const SIGNAL = {
  ...SUBSCRIBER_SIGNAL,
  /**
   * Signals `employeeLifecycle` that pending work of its employee has changed. Keeps the name of its first
   * version, since Temporal stores it.
   */
  agendaChanged: 'agendaChanged',
  /** Signals to a sync what its child has committed or holds. */
  transitionsDecided: 'transitionsDecided',
  /** Signals to a braked run's `detectLifecycleTransitions` that the question of a newer run replaces its own. */
  replaced: 'replaced',
} as const;

/** The connection that a workflow input or a command means when it names none. */
export const DEFAULT_CONNECTION = 'default';

export const workflowId = {
  sync: (connectionId: string, endpoint: Endpoint): string => `personio:${connectionId}:${endpoint}`,
  lifecycle: (connectionId: string, runId: string): string => `personio:${connectionId}:lifecycle:${runId}`,
  employee: (connectionId: string, employeeId: string): string => `personio:${connectionId}:employee:${employeeId}`,
  /** The fresh read that follows the approval of a braked run. */
  approved: (connectionId: string, runId: string): string => `personio:${connectionId}:employees:approved:${runId}`,
  /** Started by `preview employees`. */
  preview: (connectionId: string): string => `personio:${connectionId}:employees:preview`,
  refresh: (connectionId: string, employeeId: string): string => `personio:${connectionId}:refresh:${employeeId}`,
} as const;

/** Returns the id of the schedule that starts the syncs of one endpoint of one connection. */
export function toScheduleId(connectionId: string, endpoint: Endpoint): string {
  return `personio:${connectionId}:${endpoint}`;
}

/** Id of the schedule that applies the retention rules to all connections, and of the workflow it starts. */
export const RETENTION_SCHEDULE_ID = 'personio:retention';
