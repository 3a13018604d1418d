import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ServerUnavailableError } from './processes.js';

const run = promisify(execFile);

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** @returns the ids of an operating system's user, who is created where there is none. For root only. @throws ServerUnavailable */
export async function ensureUser(name: string): Promise<UserIds> {
  const known = await findUser(name);
  if (known !== null) return known;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', name]);
  } catch {
    throw new ServerUnavailableError(
      `PostgreSQL does not run as root, and the user ${name} could not be created. Run personio-sync as an ordinary user, or set DATABASE_URL.`,
    );
  }
  const created = await findUser(name);
  if (created === null)
    throw new ServerUnavailableError(`The user ${name} was created and cannot be found. Set DATABASE_URL instead.`);
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
