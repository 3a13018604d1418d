import type { OpenRunRequest, RunPlan, RunRef } from '../src/contracts/internal/activities.js';
import { collect, store } from './proxies.js';
import type { ReadTally } from './read-snapshot.js';

/** Opens the run's row, and has a token at hand meanwhile. */
export async function openRun(request: OpenRunRequest, tally: ReadTally): Promise<RunPlan> {
  const { connectionId, endpoint, runId } = request;
  const run: RunRef = { connectionId, endpoint, runId };
  const token = collect.exchangeToken.executeWithOptions({ summary: 'Have a token at hand' }, [run]);
  // Its failure counts when the run has a row to be written into.
  token.catch(() => undefined);
  const plan = await store.openRun.executeWithOptions({ summary: `Open the run of ${endpoint}` }, [request]);
  tally.requests += (await token).requests;
  return plan;
}
