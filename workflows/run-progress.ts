import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { RunRef } from '../src/contracts/internal/activities.js';
import { QUERY, SEARCH_ATTRIBUTE } from '../src/contracts/internal/names.js';
import type { Endpoint } from '../src/contracts/internal/names.js';
import type { RunOutcome, SyncProgress } from '../src/contracts/internal/sync.js';

const progressQuery = defineQuery<SyncProgress>(QUERY.progress);
const toSearchAttributeKey = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
  defineSearchAttributeKey(name, 'KEYWORD');

/** What a run shows of itself: the `progress` query, the current details in the Temporal UI, the search attributes. */
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

  /** Says in a sentence what the run is doing now. */
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
   * A chunk, or another attempt at it, begins.
   *
   * @returns the records so far: a total is known for each chunk alone, and one may be read while the one before it is committed.
   */
  begin(phase: string): number {
    this.show(phase);
    return this.current.received;
  }

  /** Adds what one segment brought; `total` is that of the run, as far as it is known. */
  addReceived(records: number, pages: number, total: number | null, phase: string): void {
    const { received, page } = this.current;
    this.show(phase, {
      received: received + records,
      page: page + pages,
      total,
    });
  }

  /** Takes back what a reading had counted that has to begin again. */
  subtractReceived(records: number): void {
    this.current = { ...this.current, received: this.current.received - records };
  }

  end(outcome: RunOutcome, message: string): void {
    this.current = { ...this.current, phase: outcome, waitingFor: null };
    upsertSearchAttributes([{ key: toSearchAttributeKey(SEARCH_ATTRIBUTE.outcome), value: outcome }]);
    setCurrentDetails(`**${outcome}**\n\n${message}`);
  }
}

/** @returns what names this run everywhere; the same over continue-as-new. */
export function getRunRef(connectionId: string, endpoint: Endpoint): RunRef {
  return { connectionId, endpoint, runId: workflowInfo().firstExecutionRunId };
}
