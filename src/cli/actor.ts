import { userInfo } from 'node:os';
import { CommandError, EXIT } from './exit.js';

const MAX_CHARACTERS = 1_000;

/** Who answers for a decision: as given, else the operating system's user. */
export function resolveActor(by: string | undefined): string {
  return by === undefined ? getOsUser() : requireText('--by', by);
}

/** @returns the text of an option that goes into the chain of decisions. @throws CommandError (usage) where it says nothing. */
export function requireText(option: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed !== '' && trimmed.length <= MAX_CHARACTERS) return trimmed;
  throw new CommandError(`${option} has to say something, in at most ${MAX_CHARACTERS} characters.`, EXIT.usage);
}

function getOsUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have a number and no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
