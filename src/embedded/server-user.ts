import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ServerUnavailableError } from './processes.js';

const run = promisify(execFile);

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns the ids of an operating system user, and creates the user if needed. For root only.
 *
 * @throws ServerUnavailableError if the user cannot be created.
 */
export async function ensureUser(name: string): Promise<UserIds> {
  const known = await findUser(name);
  if (known !== null) return known;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', name]);
  } catch {
    throw new ServerUnavailableError(
      `PostgreSQL does not run as root, and the user ${name} could not be created. ` +
        'Run personio-sync as an ordinary user, or set DATABASE_URL.',
    );
  }
  const created = await findUser(name);
  if (created === null)
    throw new ServerUnavailableError(`The user ${name} was created but cannot be found. Set DATABASE_URL instead.`);
  return created;
}

async function findUser(name: string): Promise<UserIds | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}
