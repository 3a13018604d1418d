import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, EXIT } from './exit.js';

const MAX_CHARACTERS = 4_096;

/**
 * The secret of a connection: from the file, else one line of standard input, else a prompt without echo. Never an argument, which
 * every user of the machine could read in the list of processes.
 *
 * @throws CommandError (usage) that says what is wrong, and not with what.
 */
export async function readSecret(file: string | undefined): Promise<string> {
  const text =
    file !== undefined ? readFile(file) : process.stdin.isTTY ? await promptForSecret() : await readStandardInput();
  return requireUsableText('The client secret', text.replace(/\r?\n$/, ''));
}

/** @returns the text, if it can be a client id or secret. @throws CommandError (usage) */
export function requireUsableText(what: string, text: string): string {
  const fault = findFault(text);
  if (fault === null) return text;
  throw new CommandError(`${what} ${fault}. Nothing was changed.`, EXIT.usage);
}

function findFault(text: string): string | null {
  if (text.trim() === '') return 'is empty';
  if (/[\r\n]/.test(text)) return 'has a line break in it; copy it again, as one line';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return 'has control characters in it; copy it again';
  if (text.length > MAX_CHARACTERS) return `is longer than ${MAX_CHARACTERS} characters`;
  return null;
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandError('The file that --secret-file names cannot be read.', EXIT.usage);
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

/** Reads a line from the terminal, which shows nothing of it. */
async function promptForSecret(): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  const cancelled = new AbortController();
  reader.once('SIGINT', () => cancelled.abort());
  process.stderr.write('Client secret (it is not shown): ');
  try {
    return await reader.question('', { signal: cancelled.signal });
  } catch {
    throw new CommandError('Nothing was entered, and nothing was changed.');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
