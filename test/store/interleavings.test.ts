import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AttendanceRecord, EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { SteppedRead, employee } from '../support/staging.js';
import { SteppedCollection } from '../support/stepped-collection.js';

/*
 * Two operations at a time, in every order of their steps, while HR changes its data at every moment that the reads can
 * tell apart. What they leave must equal what they leave one after the other.
 */

const policy = createPolicy();
const CHUNK = { from: '2026-11-02', to: '2026-11-08' };
const LEFT = { status: 'inactive', terminationDate: '2024-01-31', lastWorkingDay: '2024-01-31' } as const;

/** What HR has changed: the entry of the first record, and those of all others. Each is an entry of its own. */
interface Changes {
  readonly first: boolean;
  readonly others: boolean;
}
const NOTHING: Changes = { first: false, others: false };
const EVERYTHING: Changes = { first: true, others: true };

type Kind = 'full' | 'refresh' | 'attendances';
const STEPS = ['begin', 'stage', 'commit'] as const;

interface Operation {
  readonly take: (step: (typeof STEPS)[number], changes: Changes) => Promise<unknown>;
}

let database: Database;
let connections = 0;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => database.close());

/** Returns the company: the first person leaves; of the others, one moves, one is no longer listed and one joins. */
function listCompany({ first, others }: Changes): readonly EmployeeRecord[] {
  const company = [employee(1, first ? LEFT : {}), employee(2, others ? { position: 'Manager' } : {}), employee(3)];
  return others ? [...company, employee(7)] : [...company, employee(6)];
}

/** Returns the periods: the first is edited; of the others, one is deleted and one is new. */
function listPeriods({ first, others }: Changes): readonly AttendanceRecord[] {
  const ids = others ? [1, 2, 3, 5] : [1, 2, 3, 4];
  return ids.map((id) => ({
    periodId: String(id),
    periodIdV2: null,
    employeeId: '1',
    date: '2026-11-03',
    startTime: '09:00',
    endTime: first && id === 1 ? '18:00' : '17:00',
    breakMinutes: 30,
    status: 'confirmed',
    project: null,
    isHoliday: false,
    isOnTimeOff: false,
    updatedAt: null,
    span: null,
  }));
}

function createOperation(kind: Kind, connectionId: string): Operation {
  if (kind === 'attendances') return createAttendances(connectionId);
  const onlyEmployeeId = kind === 'refresh' ? '1' : null;
  const read = new SteppedRead(database, policy, { connectionId, onlyEmployeeId });
  return {
    take: async (step, changes) => {
      if (step === 'begin') await read.begin();
      if (step === 'stage') await read.stage(listCompany(changes).slice(0, kind === 'refresh' ? 1 : undefined));
      if (step === 'commit') expect((await read.commit()).incomplete).toBeNull();
    },
  };
}

/** Creates a run of attendances, which reads again when its commit finds that another run overlapped. */
function createAttendances(connectionId: string): Operation {
  const run = new SteppedCollection(database, 'attendances', connectionId);
  const stage = async (changes: Changes): Promise<unknown> =>
    run.stage({ endpoint: 'attendances', records: listPeriods(changes) });
  return {
    take: async (step, changes) => {
      if (step === 'begin') await run.begin(CHUNK);
      if (step === 'stage') await stage(changes);
      if (step !== 'commit' || (await run.commit()).incomplete === null) return;
      await run.begin(CHUNK);
      await stage(changes);
      expect((await run.commit()).incomplete).toBeNull();
    },
  };
}

/** What one connection's tables and events were after each commit, without repetitions. */
class Scenario {
  readonly states: string[] = [];

  private readonly connectionId: string;

  private constructor(connectionId: string) {
    this.connectionId = connectionId;
  }

  /** Prepares a connection that holds what HR had before its changes. */
  static async prepare(kinds: readonly Kind[]): Promise<Scenario> {
    connections += 1;
    const scenario = new Scenario(`c${connections}`);
    await scenario.runWhole(kinds.includes('attendances') ? 'attendances' : 'full', NOTHING);
    return scenario;
  }

  async runWhole(kind: Kind, changes: Changes): Promise<void> {
    const operation = createOperation(kind, this.connectionId);
    for (const step of STEPS) await operation.take(step, changes);
    await this.record();
  }

  /** Takes the steps in an order. HR changes its data after so many stages. */
  async runInterleaved(kinds: readonly Kind[], order: readonly number[], changedAfter: number): Promise<void> {
    const operations = kinds.map((kind) => createOperation(kind, this.connectionId));
    const taken = kinds.map(() => 0);
    let stages = 0;
    for (const which of order) {
      const step = STEPS[taken[which] ?? 0] ?? 'commit';
      taken[which] = (taken[which] ?? 0) + 1;
      await operations[which]?.take(step, stages >= changedAfter ? EVERYTHING : NOTHING);
      if (step === 'stage') stages += 1;
      if (step === 'commit') await this.record();
    }
  }

  /** Records the tables and events, without moments and ids of runs. */
  private async record(): Promise<void> {
    const tables = await Promise.all(
      TABLES.map(async (sql) =>
        database.query(`${sql} where connection_id = $1 order by 1, 2, 3`, [this.connectionId]),
      ),
    );
    const state = JSON.stringify(tables, null, 1);
    if (state !== this.states.at(-1)) this.states.push(state);
  }
}

const TABLES = [
  `select employee_id, status, position, lifecycle_state, episode, version,
     missing_since is not null as is_missing, deleted_at is not null as is_deleted
   from personio.employees`,
  'select employee_id, kind, state from personio.lifecycle_events',
  'select period_id, end_time, date from personio.attendance_periods',
];

/** Returns every order of two operations, and of the moments at which the entries are changed between them. */
function listSerialRuns(kinds: readonly [Kind, Kind]): readonly (readonly (readonly [Kind, Changes])[])[] {
  const moments = [0, 1, 2];
  return [kinds, [...kinds].reverse()].flatMap((order) =>
    moments.flatMap((first) =>
      moments.map((others) =>
        order.map((kind, index) => [kind, { first: index >= first, others: index >= others }] as const),
      ),
    ),
  );
}

/** Returns the states that two operations leave one after the other. */
async function listSerialOutcomes(kinds: readonly [Kind, Kind]): Promise<ReadonlySet<string>> {
  const outcomes = new Set<string>();
  for (const run of listSerialRuns(kinds)) {
    const scenario = await Scenario.prepare(kinds);
    for (const [kind, changes] of run) await scenario.runWhole(kind, changes);
    outcomes.add(scenario.states.join('\n'));
  }
  return outcomes;
}

/** Returns every order of the steps of two operations, as a list of which one takes its next step. */
function listOrders(left: number, right: number): readonly (readonly number[])[] {
  if (left === 0 && right === 0) return [[]];
  return [
    ...(left === 0 ? [] : listOrders(left - 1, right).map((order) => [0, ...order])),
    ...(right === 0 ? [] : listOrders(left, right - 1).map((order) => [1, ...order])),
  ];
}

const PAIRS: readonly (readonly [Kind, Kind])[] = [
  ['full', 'full'],
  ['full', 'refresh'],
  ['refresh', 'full'],
  ['attendances', 'attendances'],
];

test.each(PAIRS)(
  '%s and %s in any order leave what some serial order leaves',
  async (...kinds) => {
    const serial = await listSerialOutcomes(kinds);
    const orders = listOrders(STEPS.length, STEPS.length);
    const settled = new Set<string>();
    const check = async (order: readonly number[], changedAfter: number): Promise<void> => {
      const scenario = await Scenario.prepare(kinds);
      await scenario.runInterleaved(kinds, order, changedAfter);
      const states = scenario.states.join('\n');
      if (!serial.has(states))
        throw new Error(`${kinds.join(' and ')}, order ${order.join('')}, change ${changedAfter}: ${states}`);
      // The reads that follow bring every connection to the same state, by the same events: two of them, since two in
      // a row must miss a person.
      const next = kinds.includes('attendances') ? 'attendances' : 'full';
      await scenario.runWhole(next, EVERYTHING);
      await scenario.runWhole(next, EVERYTHING);
      settled.add(scenario.states.at(-1)?.replaceAll(/"version": \d+/g, '') ?? '');
    };
    for (const order of orders) await Promise.all([0, 1, 2].map(async (changedAfter) => check(order, changedAfter)));
    expect(orders).toHaveLength(20);
    expect([...settled]).toHaveLength(1);
    expect([...settled][0]).not.toContain('joiner.rehired');
    process.stdout.write(
      `Interleavings: ${kinds.join(' and ')}, ${orders.length} orders of steps with 3 moments of change, ` +
        `${serial.size} different serial outcomes (${PAIRS.length} pairs in all).\n`,
    );
  },
  300_000,
);
