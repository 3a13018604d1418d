import { ScheduleNotFoundError, ServiceError } from '@temporalio/client';
import type { Client, ScheduleDescription } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../contracts/internal/names.js';
import { TemporalSetupError } from './errors.js';

/** Key in the memo of a schedule's action: two installations in a namespace may use the same ids. */
const MEMO_KEY = 'personioSyncInstallation';
const OUR_TYPES: ReadonlySet<string> = new Set(Object.values(WORKFLOW_TYPE));

/** Installation of personio-sync: one database. */
export interface Installation {
  readonly client: Client;
  readonly installationId: string;
  /** Its connections: schedules of an earlier version, which say nothing, are its own if they are of one of these. */
  readonly connectionIds: readonly string[];
}

/** Thrown before anything is changed where a schedule belongs to another installation. */
export class ForeignScheduleError extends TemporalSetupError {
  override readonly name = 'ForeignScheduleError';

  constructor(ids: readonly string[]) {
    super(
      `The namespace has ${ids.join(', ')} already, of another installation of personio-sync or another program. ` +
        'Nothing was changed. Use a namespace of its own for each installation (TEMPORAL_NAMESPACE), ' +
        'or another connection ID. If that installation is gone, delete its schedules with ' +
        '`temporal schedule delete --schedule-id ID`.',
    );
  }
}

/** Returns the memo by which a schedule says whose it is. */
export function toOwnerMemo(installationId: string): Readonly<Record<string, string>> {
  return { [MEMO_KEY]: installationId };
}

export type ScheduleOwner = 'own' | 'other' | 'absent';

/** Finds out whose a schedule is. */
export async function findScheduleOwner(installation: Installation, id: string): Promise<ScheduleOwner> {
  try {
    return getOwner(installation, await installation.client.schedule.getHandle(id).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return 'absent';
    if (error instanceof ServiceError) throw error;
    // Encrypted with keys that are not ours.
    return 'other';
  }
}

/** Returns whose a described schedule is. */
export function getOwner(
  { installationId, connectionIds }: Omit<Installation, 'client'>,
  { scheduleId, action }: Pick<ScheduleDescription, 'scheduleId' | 'action'>,
): Exclude<ScheduleOwner, 'absent'> {
  const owner = action.memo?.[MEMO_KEY];
  if (owner !== undefined) return owner === installationId ? 'own' : 'other';
  const [, connectionId = '', endpoint] = scheduleId.split(':');
  const isOurs = endpoint === undefined || connectionIds.includes(connectionId);
  return isOurs && OUR_TYPES.has(action.workflowType) ? 'own' : 'other';
}
