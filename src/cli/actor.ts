import { userInfo } from 'node:os';
import { CommandFailed, EXIT } from './exit.js';

const MAX_CHARACTERS = 1_000;

/** Who answers for a decision: as given, else the operating system's user. */
export function actorOf(by: string | undefined): string {
  return by === undefined ? operatingSystemUser() : said('--by', by);
}

/** @returns the text of an option that goes into the chain of decisions. @throws CommandFailed (usage) where it says nothing. */
export function said(option: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed !== '' && trimmed.length <= MAX_CHARACTERS) return trimmed;
  throw new CommandFailed(`${option} has to say something, in at most ${MAX_CHARACTERS} characters.`, EXIT.usage);
}

function operatingSystemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have a number and no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
