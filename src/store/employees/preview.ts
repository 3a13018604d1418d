import type { BrakeCheck } from '../../domain/brake.js';
import type { Queries } from '../database.js';
import { EVENT_COLUMNS, FEED_FIELDS } from '../events/columns.js';
import type { StoredEvent } from '../events/columns.js';

/** An event that a previewed run would make or hold. */
export interface PreviewEvent extends Pick<StoredEvent, (typeof FEED_FIELDS)[number]> {
  readonly state: 'planned' | 'due';
  readonly held: boolean;
}

export interface PreviewReport {
  /** True if the run would need an approval. */
  readonly wouldBrake: boolean;
  readonly limits: readonly BrakeCheck[];
  readonly why: readonly string[];
  readonly events: readonly PreviewEvent[];
}

/** Reads the result of a previewed run. */
export async function readPreview(queries: Queries, runId: string): Promise<PreviewReport> {
  const [run] = await queries.query<{ detail: Partial<Omit<PreviewReport, 'events'>> & { readonly asked?: number } }>(
    'select detail from personio.sync_runs where run_id = $1',
    [runId],
  );
  const events = await queries.query<PreviewEvent>(
    `select
       ${EVENT_COLUMNS.select('holds', [...FEED_FIELDS, 'state'])},
       holds.is_held as held
     from personio.lifecycle_proposals as holds
     where run_id = $1
     order by class, kind, effective_date, employee_id, event_id`,
    [runId],
  );
  const { limits = [], why = [], asked = 0 } = run?.detail ?? {};
  return { wouldBrake: asked > 0, limits, why, events };
}

/** Returns the names of people by their employee id. People who are not stored are left out. */
export async function findNames(
  queries: Queries,
  connectionId: string,
  employeeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await queries.query<{ employee_id: string; name: string }>(
    `select
       employee_id,
       concat_ws(' ', coalesce(preferred_name, first_name), last_name) as name
     from personio.employees
     where connection_id = $1
       and employee_id = any($2)`,
    [connectionId, employeeIds],
  );
  return new Map(rows.map((row) => [row.employee_id, row.name]));
}
