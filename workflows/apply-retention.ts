import { setCurrentDetails } from '@temporalio/workflow';
import type { RetentionResult } from '../src/contracts/internal/activities.js';
import { store } from './proxies.js';

/** Applies the retention rules to all connections. Its own schedule starts it daily. */
export async function applyRetention(): Promise<RetentionResult> {
  setCurrentDetails('Deleting data past its retention, in small batches.');
  const deleted = await store.applyRetention.executeWithOptions({ summary: 'Apply retention rules' }, []);
  const { attendances, proposals, events, history, people, runs } = deleted;
  const rows = attendances + proposals + events + history + people + runs;
  setCurrentDetails(rows === 0 ? 'No data was past its retention.' : `Deleted ${rows} rows past their retention.`);
  return deleted;
}
