import { userInfo } from 'node:os';
import { CommandError, EXIT } from './exit.js';

const MAX_CHARACTERS = 1_000;

/** Returns the person responsible for an act: as given, else the operating system's user. */
export function resolveActor(by: string | undefined): string {
  return by === undefined ? getOsUser() : requireText('--by', by);
}

/**
 * Returns the trimmed text of an option that is recorded in the audit log.
 *
 * @throws CommandError (usage) where it is empty or too long.
 */
export function requireText(option: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed !== '' && trimmed.length <= MAX_CHARACTERS) return trimmed;
  throw new CommandError(`${option} must not be empty or longer than ${MAX_CHARACTERS} characters.`, EXIT.usage);
}

function getOsUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have a number and no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
