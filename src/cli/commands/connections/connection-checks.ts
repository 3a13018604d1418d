import type { Settings } from '../../../config/settings.js';
import { testConnection } from '../../../personio/test-connection.js';
import type { ConnectionCheck } from '../../../personio/test-connection.js';
import type { StoredCredentials } from '../../../store/connections.js';
import { CommandError } from '../../exit.js';
import type { Output } from '../../output.js';

/** Exchanges a token and reads each endpoint once. */
export async function runChecks(
  { policy }: Settings,
  credentials: StoredCredentials,
): Promise<readonly ConnectionCheck[]> {
  return testConnection(credentials, { ...policy.reading, attributesToStore: policy.attributesToStore });
}

/** Returns what is stored of a test. */
export function toTestOutcome(checks: readonly ConnectionCheck[]): 'green' | 'red' {
  return checks.every(({ ok }) => ok) ? 'green' : 'red';
}

/** Prints a warning for each check that failed. */
export function warnOfFailures(output: Output, checks: readonly ConnectionCheck[]): void {
  for (const { check, ok, sentence, action } of checks)
    if (!ok) output.note(`Warning: ${check} check failed: ${sentence} ${action ?? ''}`.trim());
}

export function getTokenCheck(checks: readonly ConnectionCheck[]): ConnectionCheck {
  const [token] = checks;
  if (token === undefined) throw new CommandError('The test of the connection returned no checks.');
  return token;
}
