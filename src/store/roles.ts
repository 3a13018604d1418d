import type { Queries } from './database.js';

/**
 * Makes the roles where this user may, and gives them their rights on every table that there is now.
 *
 * @returns null, or a sentence that says why not and what to do.
 */
export async function grantRoles(queries: Queries): Promise<string | null> {
  const [row] = await queries.query<{ sentence: string | null }>('select personio.grant_roles() as sentence');
  return row?.sentence ?? null;
}
