import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, EXIT } from './exit.js';

const MAX_CHARACTERS = 4_096;

/**
 * Reads the secret of a connection from the file, else one line of standard input, else a prompt without echo. Never
 * from an argument, which every user of the machine could read in the list of processes.
 *
 * @throws CommandError (usage) that says what is wrong without repeating the secret.
 */
export async function readSecret(file: string | undefined): Promise<string> {
  const text =
    file !== undefined ? readFile(file) : process.stdin.isTTY ? await promptForSecret() : await readStandardInput();
  return requireUsableText('The client secret', text.replace(/\r?\n$/, ''));
}

/** Returns the text if it can be a client ID or secret. @throws CommandError (usage) */
export function requireUsableText(what: string, text: string): string {
  const fault = findFault(text);
  if (fault === null) return text;
  throw new CommandError(`${what} ${fault}. Nothing was changed.`, EXIT.usage);
}

function findFault(text: string): string | null {
  if (text.trim() === '') return 'is empty';
  if (/[\r\n]/.test(text)) return 'contains a line break; copy it again as one line';
  // eslint-disable-next-line no-control-regex -- finds control characters
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return 'contains control characters; copy it again';
  if (text.length > MAX_CHARACTERS) return `is longer than ${MAX_CHARACTERS} characters`;
  return null;
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandError('The file given with --secret-file cannot be read.', EXIT.usage);
  }
}

async function readStandardInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > MAX_CHARACTERS + 2) break;
  }
  return text;
}

/** Reads a line from the terminal without echo. */
async function promptForSecret(): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  const cancelled = new AbortController();
  reader.once('SIGINT', () => cancelled.abort());
  process.stderr.write('Client secret (hidden): ');
  try {
    return await reader.question('', { signal: cancelled.signal });
  } catch {
    throw new CommandError('No secret was entered. Nothing was changed.');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
