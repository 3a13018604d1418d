import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_KINDS } from '../../src/contracts/public/events.js';
import type { Policy } from '../../src/domain/policy.js';
import type { Database } from '../../src/store/database.js';
import { markDue } from '../../src/store/deliveries/pending.js';
import { redeliver } from '../../src/store/deliveries/redeliver.js';
import { createMigratedDatabase } from '../support/database.js';
import { compareByRun, listWantedEvents, readLives, toFields } from '../support/lifecycle-cases.js';
import type { CaseEvent, Life } from '../support/lifecycle-cases.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

/** Lives whose rules need PostgreSQL: which people are decided on, deliveries, and other people. */

const policy: Policy = {
  ...createPolicy(),
  offices: { defaultZone: 'Europe/Berlin', zones: { 'Los Angeles': 'America/Los_Angeles' } },
  subscribers: [createSubscriber({ events: [...EVENT_KINDS], when: 'effective' })],
};

function findLife(name: string): Life {
  const life = readLives().find((candidate) => candidate.name === name);
  if (life === undefined) throw new Error(`There is no life "${name}".`);
  return life;
}

let database: Database;

beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => database.close());

/** Commits the runs of a life, and what a test does after each. */
async function live(connectionId: string, life: Life, after?: (run: number) => Promise<void>): Promise<void> {
  for (const [run, { at, people }] of life.runs.entries()) {
    const company = people.map((person) => employee(person.id, toFields(person)));
    const collectedAt = new Date(at).toISOString();
    const runId = `${connectionId}-${run}`;
    const { result } = await commitCompany(database, policy, company, { connectionId, collectedAt, runId });
    expect(result?.outcome).toBe('succeeded');
    await after?.(run);
  }
}

async function sendOpen(connectionId: string): Promise<void> {
  await database.run(
    `update personio.deliveries
     set state = 'sent', sent_at = clock_timestamp(), first_attempt_at = clock_timestamp(), attempts = 1
     where connection_id = $1
       and state = 'waiting'
       and due_at <= (select max(employees_collected_at) from personio.connection_state where connection_id = $1)`,
    [connectionId],
  );
}

async function listStates(connectionId: string, kind: string): Promise<readonly unknown[]> {
  const rows = await database.query<{ state: string }>(
    `select deliveries.state
     from personio.deliveries as deliveries
     join personio.lifecycle_events as events using (event_id)
     where deliveries.connection_id = $1
       and events.kind = $2
     order by events.detected_at`,
    [connectionId, kind],
  );
  return rows.map(({ state }) => state);
}

describe('a life in PostgreSQL', () => {
  test.each(readLives())('$name', async (life) => {
    const connectionId = `life-${readLives().findIndex(({ name }) => name === life.name)}`;
    await live(connectionId, life);
    const rows = await database.query<CaseEvent>(
      `select
         right(run_id, 1)::int as run,
         kind,
         effective_date as "effectiveDate",
         employee_id as "employeeId",
         related_employee_id as "relatedEmployeeId",
         episode
       from personio.lifecycle_events
       where connection_id = $1`,
      [connectionId],
    );
    const wanted = listWantedEvents(life).map(({ run, kind, effectiveDate, employeeId, ...more }) => ({
      run,
      kind,
      effectiveDate,
      employeeId,
      relatedEmployeeId: more.relatedEmployeeId ?? null,
      ...(more.episode === undefined ? {} : { episode: more.episode }),
    }));
    const got = rows.toSorted(compareByRun);
    expect(got.map(({ run, kind }) => `${run} ${kind}`)).toEqual(wanted.map(({ run, kind }) => `${run} ${kind}`));
    expect(got).toMatchObject(wanted);
  });
});

describe('deliveries of a former employment', () => {
  const life = findLife('a coming return closes no off-boarding');

  test('stay open while a return is announced, and after it is withdrawn', async () => {
    const seen: unknown[] = [];
    await live('open', life, async (run) => {
      await sendOpen('open');
      if (run > 0) seen.push(...(await listStates('open', 'leaver.left')));
    });
    expect(seen).toEqual(['sent', 'sent', 'sent']);
  });

  test('can be sent again while a return is only announced', async () => {
    const announced = { ...life, runs: life.runs.slice(0, 3) };
    await live('again', announced, async () => sendOpen('again'));
    const dead = await database.query<{ delivery_id: string }>(
      `update personio.deliveries
       set state = 'dead'
       where connection_id = 'again'
         and event_id like '%:leaver.left:%'
       returning delivery_id`,
    );
    const { refused } = await redeliver(
      database,
      dead.map((row) => row.delivery_id),
      { actor: 'Test', reason: 'test' },
    );
    expect([dead.length, refused]).toEqual([1, []]);
  });

  test('are superseded when the start of the return falls due', async () => {
    const announced = { ...life, runs: life.runs.slice(0, 3) };
    await live('due', announced, async () => sendOpen('due'));
    expect(await listStates('due', 'leaver.left')).toEqual(['sent']);
    await database.run(
      `update personio.lifecycle_events
       set due_at = clock_timestamp()
       where connection_id = 'due'
         and kind = 'joiner.started'`,
    );
    await markDue(database, { connectionId: 'due', employeeId: '1' });
    expect(await listStates('due', 'leaver.left')).toEqual(['superseded']);
  });

  test('are superseded at once by a return that has begun', async () => {
    await live('begun', findLife('deleted, then back with another hire date in the past'), async (run) => {
      if (run < 3) await sendOpen('begun');
    });
    expect(await listStates('begun', 'leaver.deleted')).toEqual(['superseded']);
  });
});

test('a subscriber that was told of an end learns of its withdrawal in a later episode', async () => {
  const life = findLife('told of an end, deleted, back without it');
  await live('told', life, async () => sendOpen('told'));
  expect(await listStates('told', 'leaver.rescinded')).toEqual(['sent']);
  await live('untold', life, async () => {
    await database.run(
      `delete from personio.deliveries
       where connection_id = 'untold'
         and event_id like '%:leaver.announced:%'`,
    );
    await database.run(
      `update personio.deliveries
       set state = 'superseded'
       where connection_id = 'untold'
         and state = 'waiting'`,
    );
  });
  expect(await listStates('untold', 'leaver.rescinded')).toEqual([]);
});
