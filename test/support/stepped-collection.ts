import type { CommitOutcome, CommitRequest, RunRef } from '../../src/contracts/internal/activities.js';
import type { DayWindow } from '../../src/contracts/internal/sync.js';
import type { StagedRecords } from '../../src/domain/records.js';
import { commitSnapshot } from '../../src/store/collections/commit.js';
import { claimVanished, listVanishedPeople } from '../../src/store/collections/vanished.js';
import type { Database } from '../../src/store/database.js';
import { insertRun } from '../../src/store/runs.js';
import { beginStaging, stageRecords } from '../../src/store/staging.js';

let runs = 0;

/** A run that reads a collection, or chunks of attendances, taken one step at a time. */
export class SteppedCollection {
  readonly runId: string;
  private readonly database: Database;
  private readonly endpoint: Exclude<RunRef['endpoint'], 'employees'>;
  private readonly connectionId: string;
  private attempt = 0;
  private received = 0;
  private chunk: DayWindow | null = null;

  constructor(database: Database, endpoint: Exclude<RunRef['endpoint'], 'employees'>, connectionId = 'default') {
    runs += 1;
    this.runId = `stepped-${runs}`;
    [this.database, this.endpoint, this.connectionId] = [database, endpoint, connectionId];
  }

  private get run(): RunRef {
    return { connectionId: this.connectionId, endpoint: this.endpoint, runId: this.runId };
  }

  /** Begins the next attempt at a chunk. */
  async begin(chunk: DayWindow | null = null): Promise<this> {
    this.attempt += 1;
    this.chunk = chunk;
    await insertRun(this.database, this.run, new Date().toISOString(), chunk);
    await beginStaging(this.database, this.run, { attempt: this.attempt, chunk: chunk?.from ?? null });
    return this;
  }

  /** Begins a confirming attempt, as its read does. Returns the people that it asks for. */
  async beginConfirming(chunk: DayWindow | null = null): Promise<readonly string[]> {
    await this.begin(chunk);
    const attempt = { ...this.run, attempt: this.attempt };
    await claimVanished(this.database, attempt);
    return listVanishedPeople(this.database, attempt);
  }

  async stage(page: StagedRecords): Promise<this> {
    const key = { attempt: this.attempt, chunk: this.chunk?.from ?? null };
    await stageRecords(this.database, this.run, key, page);
    this.received = page.records.length;
    return this;
  }

  async commit(more: Partial<CommitRequest> = {}): Promise<CommitOutcome> {
    const { run, chunk, attempt, received: total } = this;
    const request = { ...run, source: 'v1' as const, chunk, attempt, total, acceptShrunk: false, ...more };
    return commitSnapshot(this.database, request);
  }
}
