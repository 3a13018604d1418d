import type { Command } from 'commander';
import { CONNECTION_ID } from '../../../config/settings.js';
import type { Settings } from '../../../config/settings.js';
import { parseKeyRing } from '../../../crypto/sealing.js';
import type { KeyRing } from '../../../crypto/sealing.js';
import type { AuditEntry } from '../../../store/audit-log.js';
import { resolveActor } from '../../actor.js';
import { CommandError, EXIT } from '../../exit.js';
import { resolvePersonio } from '../../servers.js';

/** Options of the commands that change a stored connection. */
export interface StoredConnectionOptions {
  readonly by?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export const SECRET_FILE_HELP =
  'file that contains the client secret (default: one line of standard input, or a prompt)';

export function addAuditOptions(command: Command): Command {
  return command
    .option('--by <name>', 'person responsible, recorded in the audit log (default: the user of the operating system)')
    .option('--reason <text>', 'reason, recorded in the audit log')
    .option('--json', 'print one JSON document');
}

/** Returns the key ring that seals secrets. @throws CommandError (usage) where there is none. */
export function requireKeyRing({ keys }: Settings): KeyRing {
  if (keys.length > 0) return parseKeyRing(keys);
  throw new CommandError(
    'Secrets cannot be stored without PERSONIO_SYNC_KEYS. ' +
      'Create a key with `echo "key1:$(openssl rand -base64 32)"`, set it here and for the workers, then try again.',
    EXIT.usage,
  );
}

export function createNotStoredError(settings: Settings, id: string, stored: readonly string[]): CommandError {
  if (resolvePersonio(settings)?.connectionId === id) {
    return new CommandError(
      `The connection ${id} is not stored: it comes from PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET. ` +
        'Change it there.',
      EXIT.usage,
    );
  }
  const known = stored.length === 0 ? 'No connections are stored' : `Stored connections: ${stored.join(', ')}`;
  // Anything that cannot be an id is not repeated: it may be a secret.
  const name = CONNECTION_ID.test(id) ? `${id} ` : '';
  return new CommandError(`No connection ${name}is stored. ${known}.`, EXIT.usage);
}

/** Returns an entry of the audit log; `defaultReason` where the options have none. */
export function createAuditEntry(
  what: string,
  id: string,
  { by, reason }: StoredConnectionOptions,
  defaultReason: string,
): AuditEntry {
  return { actor: resolveActor(by), what, subject: `connection ${id}`, reason: reason ?? defaultReason };
}
