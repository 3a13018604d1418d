import type { Queries } from './database.js';

/** @returns the ids of the stored connections, sorted. */
export async function listConnectionIds(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.rows<{ connection_id: string }>(
    'select connection_id from personio.connections order by connection_id',
  );
  return rows.map((row) => row.connection_id);
}

/** @returns the key of this installation's digests. */
export async function digestKey(queries: Queries): Promise<Uint8Array> {
  const [row] = await queries.rows<{ digest_key: Uint8Array }>('select digest_key from personio.installation');
  if (row === undefined) throw new RangeError('The table personio.installation has lost its row.');
  return row.digest_key;
}
