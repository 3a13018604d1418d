import type { Source } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { Queries } from './database.js';

/** Page size learnt from the server, per connection, endpoint and source, so that the next run asks for it at once. */
export interface EndpointProfile {
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  readonly source: Source;
}

/**
 * Returns the page size that the server is known to grant; null where nothing was learnt within a day: the server may
 * grant more by now.
 */
export async function findPageSize(
  queries: Queries,
  { connectionId, endpoint, source }: EndpointProfile,
): Promise<number | null> {
  const [row] = await queries.query<{ page_size: number }>(
    `select page_size
     from personio.endpoint_profiles
     where connection_id = $1
       and endpoint = $2
       and source = $3
       and changed_at > clock_timestamp() - interval '1 day'`,
    [connectionId, endpoint, source],
  );
  return row?.page_size ?? null;
}

export async function learnPageSize(queries: Queries, profile: EndpointProfile, pageSize: number): Promise<void> {
  await queries.run(
    `insert into personio.endpoint_profiles (connection_id, endpoint, source, page_size, changed_at)
     values ($1, $2, $3, $4, clock_timestamp())
     on conflict (connection_id, endpoint, source) do update
     set page_size = excluded.page_size,
       changed_at = excluded.changed_at`,
    [profile.connectionId, profile.endpoint, profile.source, pageSize],
  );
}
