import { SIGNAL as SUBSCRIBER_SIGNAL } from '../public/names.js';

/**
 * Every name that outlives a deploy: what Temporal stores, what operators type, what other teams hold on to.
 * Changing one is a migration. No id is put together anywhere else.
 */

/** The parts of Personio that are read, one schedule and one sync workflow type each. */
export const ENDPOINTS = ['employees', 'departments', 'attendances', 'time-off-types'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** Three queues, so that ten thousand deliveries starve no sync, and calls to Personio can run on workers of their own. */
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

/** Keywords, registered by `personio-sync migrate`. Never personal: a codec does not cover search attributes. */
export const SEARCH_ATTRIBUTE = {
  connection: 'PersonioConnection',
  endpoint: 'PersonioEndpoint',
  employeeId: 'PersonioEmployeeId',
  outcome: 'PersonioOutcome',
} as const;

/** What a person says to a braked run's `detectLifecycleTransitions`. */
export const UPDATE = { approve: 'approve', reject: 'reject' } as const;

export const QUERY = { progress: 'progress', state: 'state' } as const;

/** Signals among our own workflows, beside those of the contract with subscribers. */
export const SIGNAL = {
  ...SUBSCRIBER_SIGNAL,
  /** Tells `employeeLifecycle` that its person's open events have changed in the database. */
  agendaChanged: 'agendaChanged',
  /** Tells a sync what its child has committed or holds. */
  transitionsDecided: 'transitionsDecided',
  /** Tells a braked run's `detectLifecycleTransitions` that a newer run answers for its question. */
  replaced: 'replaced',
} as const;

/** The connection that is meant where a workflow input or a command names none. */
export const DEFAULT_CONNECTION = 'default';

export const workflowId = {
  sync: (connectionId: string, endpoint: Endpoint): string => `personio:${connectionId}:${endpoint}`,
  lifecycle: (connectionId: string, runId: string): string => `personio:${connectionId}:lifecycle:${runId}`,
  employee: (connectionId: string, employeeId: string): string => `personio:${connectionId}:employee:${employeeId}`,
  /** The fresh read that follows the approval of a braked run. */
  approved: (connectionId: string, runId: string): string => `personio:${connectionId}:employees:approved:${runId}`,
  /** What `preview employees` starts. */
  preview: (connectionId: string): string => `personio:${connectionId}:employees:preview`,
  refresh: (connectionId: string, employeeId: string): string => `personio:${connectionId}:refresh:${employeeId}`,
} as const;

/** @returns the id of the schedule that starts the syncs of one endpoint of one connection. */
export function toScheduleId(connectionId: string, endpoint: Endpoint): string {
  return `personio:${connectionId}:${endpoint}`;
}

/** The schedule that forgets what is past its time, of all connections; also the workflow id that it starts. */
export const RETENTION_SCHEDULE_ID = 'personio:retention';
