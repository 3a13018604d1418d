import { expect } from '@jest/globals';
import type { AttendanceRecord, EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { erasePerson } from '../../src/store/employees/erasure.js';
import { applyVerdict } from '../../src/store/employees/verdicts.js';
import { createPolicy } from './policy.js';
import { SteppedRead, attendance, employee } from './staging.js';
import { SteppedCollection } from './stepped-collection.js';

/** Steps of each operation that can overlap with another one. HR may change its data before each `stage`. */
const STEPS = {
  full: ['begin', 'stage', 'commit'],
  refresh: ['begin', 'stage', 'commit'],
  attendances: ['begin', 'stage', 'commit'],
  backfill: ['begin', 'stage', 'commit'],
  erase: ['erase'],
  approve: ['approve'],
  reject: ['reject'],
} as const;

export type Kind = keyof typeof STEPS;
type Step = (typeof STEPS)[Kind][number];

/** What HR has changed: the entry of the first record, and those of all others. */
export interface Changes {
  readonly first: boolean;
  readonly others: boolean;
}
const NOTHING: Changes = { first: false, others: false };
const EVERYTHING: Changes = { first: true, others: true };

const CHUNK = { from: '2026-11-02', to: '2026-11-08' };
const ONE_DAY = { from: '2026-11-03', to: '2026-11-03' };
const LEFT = { status: 'inactive', terminationDate: '2024-01-31', lastWorkingDay: '2024-01-31' } as const;
const BY = { actor: 'Ada', reason: 'test' };

const TABLES = [
  `select employee_id, status, position, lifecycle_state, episode, version,
     missing_since is not null as is_missing, deleted_at is not null as is_deleted
   from personio.employees`,
  'select employee_id, kind, state from personio.lifecycle_events',
  'select period_id, end_time, date from personio.attendance_periods',
  'select employee_id, decision, cardinality(event_ids) as asked from personio.held_people',
];

let connections = 0;

const isAboutAttendances = (kind: Kind): boolean => kind === 'attendances' || kind === 'backfill';
const isVerdict = (kind: Kind): boolean => kind === 'approve' || kind === 'reject';

/** One connection: operations on it, and what its tables and events were after each commit, without repetitions. */
export class Scenario {
  readonly states: string[] = [];
  private brakedRunId = '';

  private readonly database: Database;
  private readonly connectionId: string;
  /** True where every leaver is held, and the first person has left until HR takes it back. */
  private readonly isBraked: boolean;
  private readonly repeated: Kind;

  private constructor(database: Database, connectionId: string, isBraked: boolean, repeated: Kind) {
    this.database = database;
    this.connectionId = connectionId;
    this.isBraked = isBraked;
    this.repeated = repeated;
  }

  /** Prepares a connection that holds what HR had before its changes. */
  static async prepare(database: Database, kinds: readonly Kind[]): Promise<Scenario> {
    connections += 1;
    const repeated = kinds.some(isAboutAttendances) ? 'attendances' : 'full';
    const scenario = new Scenario(database, `c${connections}`, kinds.some(isVerdict), repeated);
    await scenario.runWhole(repeated, scenario.isBraked ? { first: true, others: false } : NOTHING);
    if (scenario.isBraked) await scenario.runWhole(repeated, NOTHING);
    return scenario;
  }

  async runWhole(kind: Kind, changes: Changes): Promise<void> {
    const take = this.createOperation(kind);
    for (const step of STEPS[kind]) await take(step, changes);
    await this.record();
  }

  /** Takes the steps in an order. HR changes its data after so many stages. */
  async runInterleaved(kinds: readonly Kind[], order: readonly number[], changedAfter: number): Promise<void> {
    const operations = kinds.map((kind) => ({ take: this.createOperation(kind), steps: [...STEPS[kind]] as Step[] }));
    let stages = 0;
    for (const which of order) {
      const operation = operations[which];
      const step = operation?.steps.shift();
      if (operation === undefined || step === undefined) throw new Error('The order has too many steps.');
      await operation.take(step, stages >= changedAfter ? EVERYTHING : NOTHING);
      if (step === 'stage') stages += 1;
      if (operation.steps.length === 0) await this.record();
    }
  }

  /**
   * Reads until nothing changes any more: two reads, since two in a row must miss a person. Returns the last state,
   * without versions.
   */
  async settle(): Promise<string> {
    await this.runWhole(this.repeated, EVERYTHING);
    await this.runWhole(this.repeated, EVERYTHING);
    return this.states.at(-1)?.replaceAll(/"version": \d+/g, '') ?? '';
  }

  private createOperation(kind: Kind): (step: Step, changes: Changes) => Promise<unknown> {
    if (kind === 'attendances' || kind === 'backfill') return this.createAttendances(kind);
    if (kind === 'erase')
      return async () => erasePerson(this.database, { connectionId: this.connectionId, employeeId: '1' }, BY);
    if (kind === 'approve' || kind === 'reject') return async () => this.decide(kind);
    return this.createRead(kind);
  }

  private createRead(kind: 'full' | 'refresh'): (step: Step, changes: Changes) => Promise<void> {
    const policy = createPolicy(this.isBraked ? 'lifecycle: { brake: { leavers: { atLeast: 0, percent: 0 } } }' : '');
    const onlyEmployeeId = kind === 'refresh' ? '1' : null;
    const read = new SteppedRead(this.database, policy, { connectionId: this.connectionId, onlyEmployeeId });
    const count = kind === 'refresh' ? 1 : undefined;
    return async (step, changes) => {
      if (step === 'begin') await read.begin();
      if (step === 'stage') await read.stage(this.listCompany(changes).slice(0, count));
      if (step !== 'commit') return;
      const { incomplete, result } = await read.commit();
      expect(incomplete).toBeNull();
      if (result?.outcome === 'braked' && this.brakedRunId === '') this.brakedRunId = read.runId;
    };
  }

  /** Creates a run of attendances, which reads again when its commit finds that another run overlapped. */
  private createAttendances(kind: 'attendances' | 'backfill'): (step: Step, changes: Changes) => Promise<void> {
    const chunk = kind === 'backfill' ? ONE_DAY : CHUNK;
    const run = new SteppedCollection(this.database, 'attendances', this.connectionId);
    const stage = async (changes: Changes): Promise<unknown> =>
      run.stage({ endpoint: 'attendances', records: listPeriods(changes) });
    return async (step, changes) => {
      if (step === 'begin') await run.begin(chunk);
      if (step === 'stage') await stage(changes);
      if (step !== 'commit' || (await run.commit()).incomplete === null) return;
      await run.begin(chunk);
      await stage(changes);
      expect((await run.commit()).incomplete).toBeNull();
    };
  }

  private async decide(kind: 'approve' | 'reject'): Promise<void> {
    expect(this.brakedRunId).not.toBe('');
    await applyVerdict(this.database, {
      connectionId: this.connectionId,
      runId: this.brakedRunId,
      verdict: kind === 'approve' ? 'approved' : 'rejected',
      by: BY.actor,
      reason: BY.reason,
      requestId: `${this.connectionId}-${kind}`,
    });
  }

  /** Returns the company. Of the others, one moves, one is no longer listed and one joins. */
  private listCompany({ first, others }: Changes): readonly EmployeeRecord[] {
    const hasLeft = this.isBraked ? !first : first;
    const company = [employee(1, hasLeft ? LEFT : {}), employee(2, others ? { position: 'Manager' } : {}), employee(3)];
    return [...company, employee(others ? 7 : 6)];
  }

  /** Records the tables and events, without moments and ids of runs. */
  private async record(): Promise<void> {
    const tables = await Promise.all(
      TABLES.map(async (sql) =>
        this.database.query(`${sql} where connection_id = $1 order by 1, 2, 3`, [this.connectionId]),
      ),
    );
    const state = JSON.stringify(tables, null, 1);
    if (state !== this.states.at(-1)) this.states.push(state);
  }
}

/** Returns the periods: the first is edited; of the others, one is deleted and one is new. */
function listPeriods({ first, others }: Changes): readonly AttendanceRecord[] {
  const ids = others ? [1, 2, 3, 5] : [1, 2, 3, 4];
  return ids.map((id) =>
    attendance(id, {
      employeeId: id === 1 ? '1' : '2',
      date: ONE_DAY.from,
      endTime: first && id === 1 ? '18:00' : '17:00',
    }),
  );
}

/** Returns every order of two operations, and of the moments at which the entries are changed between them. */
export function listSerialRuns(kinds: readonly [Kind, Kind]): readonly (readonly (readonly [Kind, Changes])[])[] {
  const moments = [0, 1, 2];
  return [kinds, [...kinds].reverse()].flatMap((order) =>
    moments.flatMap((first) =>
      moments.map((others) =>
        order.map((kind, index) => [kind, { first: index >= first, others: index >= others }] as const),
      ),
    ),
  );
}

/** Returns every order of the steps of two operations, as a list of which one takes its next step. */
export function listOrders(kinds: readonly [Kind, Kind]): readonly (readonly number[])[] {
  const interleave = (left: number, right: number): readonly (readonly number[])[] =>
    left === 0 && right === 0
      ? [[]]
      : [
          ...(left === 0 ? [] : interleave(left - 1, right).map((order) => [0, ...order])),
          ...(right === 0 ? [] : interleave(left, right - 1).map((order) => [1, ...order])),
        ];
  return interleave(STEPS[kinds[0]].length, STEPS[kinds[1]].length);
}

/** Returns the numbers of stages after which HR may change its data. */
export function listMoments(kinds: readonly Kind[]): readonly number[] {
  const stages = kinds.filter((kind) => (STEPS[kind] as readonly Step[]).includes('stage')).length;
  return Array.from({ length: stages + 1 }, (_, index) => index);
}
