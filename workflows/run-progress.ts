import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { RunRef } from '../src/contracts/internal/activities.js';
import { QUERY, SEARCH_ATTRIBUTE, toSearchAttributeKey } from '../src/contracts/internal/names.js';
import type { Endpoint } from '../src/contracts/internal/names.js';
import type { RunOutcome, SyncProgress } from '../src/contracts/internal/sync.js';

const progressQuery = defineQuery<SyncProgress>(QUERY.progress);

/** Shows the progress of a run: the `progress` query, the current details in the Temporal UI, the search attributes. */
export class RunProgress {
  private readonly run: RunRef;
  private current: SyncProgress;

  constructor(run: RunRef, startedAt: string) {
    this.run = run;
    this.current = { phase: 'starting', received: 0, total: null, page: 0, startedAt, waitingFor: null };
    setHandler(progressQuery, () => this.current);
    upsertSearchAttributes([
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.connection), value: run.connectionId },
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.endpoint), value: run.endpoint },
    ]);
  }

  /** Sets what the run is doing now, as a phrase such as `Reading employees`. */
  show(phase: string, change: Partial<Omit<SyncProgress, 'phase' | 'startedAt'>> = {}): void {
    this.current = { ...this.current, waitingFor: null, ...change, phase };
    const { received, total, page } = this.current;
    const counted = total === null ? `${received} records` : `${received} of ${total} records`;
    setCurrentDetails(
      `**${phase}** for connection \`${this.run.connectionId}\`\n\n` +
        `${counted} of ${this.run.endpoint} so far, ${page} pages, since ${this.current.startedAt}.` +
        (this.current.waitingFor === null ? '' : `\n\nWaiting for ${this.current.waitingFor}.`),
    );
  }

  /**
   * Begins a chunk, or another attempt at it. Returns the records so far: a total is known per chunk, and the next
   * chunk may already be read while one is committed.
   */
  begin(phase: string): number {
    this.show(phase);
    return this.current.received;
  }

  /** Adds the records of one segment; `total` is that of the run, as far as it is known. */
  addReceived(records: number, pages: number, total: number | null, phase: string): void {
    const { received, page } = this.current;
    this.show(phase, {
      received: received + records,
      page: page + pages,
      total,
    });
  }

  /** Subtracts the records of an attempt that begins again. */
  subtractReceived(records: number): void {
    this.current = { ...this.current, received: this.current.received - records };
  }

  end(outcome: RunOutcome, message: string): void {
    this.current = { ...this.current, phase: outcome, waitingFor: null };
    upsertSearchAttributes([{ key: toSearchAttributeKey(SEARCH_ATTRIBUTE.outcome), value: outcome }]);
    setCurrentDetails(`**${outcome}**\n\n${message}`);
  }
}

/** Returns the identity of this run, the same across continue-as-new. */
export function getRunRef(connectionId: string, endpoint: Endpoint): RunRef {
  return { connectionId, endpoint, runId: workflowInfo().firstExecutionRunId };
}
