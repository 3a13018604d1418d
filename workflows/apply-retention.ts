import { setCurrentDetails } from '@temporalio/workflow';
import type { RetentionResult } from '../src/contracts/internal/activities.js';
import { store } from './proxies.js';

/** Forgets what is past its time, for all connections. Started daily by its own schedule. */
export async function applyRetention(): Promise<RetentionResult> {
  setCurrentDetails('Forgetting what is past its time, in small batches.');
  const forgotten = await store.applyRetention.executeWithOptions({ summary: 'Forget what is past its time' }, []);
  const { attendances, proposals, events, history, people, runs } = forgotten;
  const rows = attendances + proposals + events + history + people + runs;
  setCurrentDetails(rows === 0 ? 'Nothing was past its time.' : `${rows} rows were past their time, and are gone.`);
  return forgotten;
}
