import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_KINDS } from '../../src/contracts/public/events.js';
import { WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import { addDays } from '../../src/domain/zones.js';
import { findFreePorts } from '../../src/embedded/processes.js';
import type { Database } from '../../src/store/database.js';
import { listFeedEvents } from '../../src/store/events/feed.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { Environment, RunningCommand } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { listSignals } from '../support/delivery.js';
import { createPolicy } from '../support/policy.js';
import { readTestServers } from '../support/servers-file.js';
import { addCrowd, commitCompany, employee } from '../support/staging.js';
import { createNamespace, waitUntil } from '../support/worker.js';
import type { TemporalClients } from '../../src/temporal/connection.js';

/** The commands for deliveries and the feed, against a worker in its own process. */
const TODAY = new Date().toISOString().slice(0, 10);
const POLICY = `subscribers:
  - { name: it, workflowType: desk, workflowId: "it:{employeeId}", taskQueue: nobody-polls, events: ["*"] }
  - name: away
    workflowType: desk
    workflowId: "away:{employeeId}"
    taskQueue: nobody-polls
    start: false
    events: [mover.changed]
`;
const LATER = `  - name: later
    workflowType: desk
    workflowId: "later:{employeeId}"
    taskQueue: nobody-polls
    events: [mover.changed, leaver.rescinded, leaver.left]
`;
const TOKEN = 'a-token-of-the-test-0123';

let database: Database;
let temporal: TemporalClients;
let environment: Environment;
let folder: string;
let worker: RunningCommand;
let ports: Readonly<Record<string, number>>;

beforeAll(async () => {
  database = await createMigratedDatabase();
  const { target, temporal: clients } = await createNamespace();
  temporal = clients;
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-deliveries-'));
  writeFileSync(join(folder, 'personio-sync.yaml'), POLICY);
  ports = await findFreePorts(folder, ['feed', 'metrics']);
  environment = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: target.namespace,
    FEED_TOKEN: TOKEN,
    FEED_ADDRESS: `127.0.0.1:${ports['feed']}`,
    // A name, which has to be resolved for the SDK.
    METRICS_ADDRESS: `localhost:${ports['metrics']}`,
  };
  const company = [1, 2, 3].map((id) => employee(id));
  await commitCompany(database, createPolicy(POLICY), company);
  const changed = company.map((one) => ({ ...one, position: 'Manager\u001b[31m' }));
  const [first = employee(1), ...others] = changed;
  const leaving = { ...first, terminationDate: addDays(TODAY, 20), lastWorkingDay: addDays(TODAY, 20) };
  await commitCompany(database, createPolicy(POLICY), [leaving, ...others]);
  worker = await startWorker();
}, 120_000);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await temporal.close();
  await database.close();
});

async function startWorker(): Promise<RunningCommand> {
  const started = startCommand(['worker', '--only', 'lifecycle'], environment, folder);
  await waitUntil(
    async () => Promise.resolve(started.output().includes('The worker polls') || started.child.exitCode !== null),
    60_000,
  );
  return started;
}

const runCli = async (...args: string[]): ReturnType<typeof runCommand> => runCommand(args, environment, folder);
const parseLines = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const readStates = async (subscriber: string): Promise<readonly Record<string, unknown>[]> =>
  database.query(
    'select delivery_id, state, attempts from personio.deliveries where subscriber = $1 order by delivery_id',
    [subscriber],
  );
const fetchFeed = async (path: string, token = TOKEN): Promise<Response> =>
  fetch(`http://127.0.0.1:${ports['feed']}${path}`, { headers: { authorization: `Bearer ${token}` } });

describe('a worker', () => {
  test('dispatches at start what no run has dispatched', async () => {
    await waitUntil(async () => (await readStates('it')).filter(({ state }) => state === 'sent').length === 4);
  });

  test('refuses an unknown namespace in the policy and names its place', async () => {
    const other = mkdtempSync(join(tmpdir(), 'personio-sync-refused-'));
    writeFileSync(join(other, 'personio-sync.yaml'), POLICY.replace('start: false', 'namespace: nowhere'));
    const { code, stderr } = await runCommand(['worker'], { ...environment, METRICS_ADDRESS: 'off' }, other);
    expect(code).toBe(2);
    expect(stderr).toMatch(/subscribers\[1\]\.namespace does not exist on the Temporal server/);
  });

  test('exports metrics of deliveries to Prometheus', async () => {
    const fetchMetrics = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${ports['metrics']}/metrics`)).text();
    await waitUntil(async () => (await fetchMetrics()).includes('personio_sync_deliveries{'), 60_000);
    await waitUntil(async () =>
      /personio_sync_delivery_refusals_total\{.*subscriber="away"/.test(await fetchMetrics()),
    );
    const text = await fetchMetrics();
    expect(text).toMatch(/personio_sync_delivery_delay_seconds_bucket\{.*kind="mover.changed".*le="60"/);
    expect(text).toMatch(/personio_sync_lifecycle_events\{.*kind="mover.changed".*\} 3/);
    expect(text).toMatch(/personio_sync_oldest_unacknowledged_seconds/);
  });
});

describe('the feed', () => {
  test('prints CloudEvents, one per line, in commit order, with a cursor', async () => {
    const { stdout, code } = await runCli('events', '--json');
    expect(code).toBe(0);
    const events = parseLines(stdout);
    expect(events.map(({ sequence }) => sequence)).toEqual(['1', '2', '3', '4']);
    expect(events[0]).toMatchObject({
      specversion: '1.0',
      source: 'personio-sync/default',
      datacontenttype: 'application/json',
    });
    expect(events[0]?.['id']).toBe((events[0]?.['data'] as { eventId: string }).eventId);
    const data = events[0]?.['data'] as object;
    for (const field of ['deliveryId', 'subscriber', 'purpose', 'acknowledge']) expect(data).not.toHaveProperty(field);
    expect(EVENT_KINDS.map((kind) => `personio.lifecycle.v1.${kind}`)).toContain(events[0]?.['type']);
    expect(parseLines((await runCli('events', '--after', '3', '--json')).stdout)).toEqual(events.slice(3));
    const { stdout: text } = await runCli('events');
    expect(text).not.toContain('\u001b');
    for (const { id } of events) expect(text).toContain(`${String(id)}\n`);
    expect((await runCli('events', '--after', 'x', '--json')).code).toBe(2);
  });

  test('prints planned events with --planned, with their id and the time of the office', async () => {
    const [planned, ...more] = parseLines((await runCli('events', '--planned', '--json')).stdout);
    expect(more).toHaveLength(0);
    expect(planned).toMatchObject({ type: 'personio.lifecycle.v1.leaver.left', subject: '1' });
    expect(planned).not.toHaveProperty('sequence');
    // The end of the last working day, in the zone of the office.
    const end = `${addDays(TODAY, 21)} 00:00 Europe/Berlin`;
    const line = `planned  leaver.left          employee 1 of default, ${end}  ${String(planned?.['id'])}\n`;
    expect((await runCli('events', '--planned')).stdout).toBe(line);
  });

  test('is served over HTTP to those who have the token', async () => {
    expect((await fetchFeed('/events', 'wrong')).status).toBe(401);
    expect((await fetchFeed('/elsewhere')).status).toBe(404);
    expect((await fetchFeed('/events?after=-1')).status).toBe(400);
    const answer = await fetchFeed('/events?after=1&limit=2');
    expect(answer.status).toBe(200);
    expect(parseLines(await answer.text())).toEqual(
      parseLines((await runCli('events', '--after', '1', '--json')).stdout).slice(0, 2),
    );
    expect(
      (
        await fetch(`http://127.0.0.1:${ports['feed']}/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}` },
        })
      ).status,
    ).toBe(405);
  });

  test('--follow skips nothing that a slow transaction commits', async () => {
    const following = startCommand(['events', '--follow', '--after', '4', '--json'], environment, folder);
    const company = [1, 2, 3].map((id) =>
      employee(id, {
        position: 'Director',
        ...(id === 1 ? { terminationDate: addDays(TODAY, 20), lastWorkingDay: addDays(TODAY, 20) } : {}),
      }),
    );
    let committed: Promise<unknown> = Promise.resolve();
    await database.transaction(async (slow) => {
      const [feedRow] = await slow.query<{ last_sequence: number }>(
        'update personio.lifecycle_feed set last_sequence = last_sequence + 1 returning last_sequence',
      );
      committed = commitCompany(database, createPolicy(POLICY), company);
      await waitUntil(async () => {
        const waiting = await database.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      expect(await listFeedEvents(database, 4, 10)).toHaveLength(0);
      await slow.run(
        `insert into personio.lifecycle_events
         select (jsonb_populate_record(events, jsonb_build_object('event_id', 'slow', 'sequence', $1::bigint))).*
         from personio.lifecycle_events as events
         where sequence = 1`,
        [feedRow?.last_sequence],
      );
    });
    await committed;
    await waitUntil(async () => Promise.resolve(parseLines(following.output()).length >= 4));
    following.child.kill('SIGINT');
    const { code, stdout } = await following.ended;
    expect(code).toBe(0);
    expect(parseLines(stdout).map(({ sequence }) => Number(sequence))).toEqual([5, 6, 7, 8]);
  });
});

describe('redelivery', () => {
  test('deliveries lists what was sent, and dead ones with --dead', async () => {
    await database.run(`update personio.deliveries set state = 'dead' where subscriber = 'away' and employee_id = '2'`);
    const { deliveries } = JSON.parse((await runCli('deliveries', '--dead', '--json')).stdout) as {
      deliveries: Record<string, unknown>[];
    };
    expect(deliveries.every(({ state, subscriber }) => state === 'dead' && subscriber === 'away')).toBe(true);
    expect(Object.keys(deliveries[0] ?? {}).sort()).toEqual([
      'acknowledgedAt',
      'attempts',
      'connectionId',
      'deadlineAt',
      'deliveryId',
      'dueAt',
      'employeeId',
      'eventId',
      'lastError',
      'note',
      'purpose',
      'sentAt',
      'state',
      'subscriber',
    ]);
    expect((await runCli('deliveries')).stdout).toMatch(/sent +it +event/);
    expect(await runCli('deliveries', '--state', 'superseded')).toMatchObject({ stdout: 'No deliveries match.\n' });
  });

  test('redeliver sends dead ones, explains refusals, and records the operator', async () => {
    await temporal.client.workflow.start('desk', { workflowId: 'away:2', taskQueue: 'nobody-polls' });
    const dead = (await readStates('away'))
      .filter(({ state }) => state === 'dead')
      .map((row) => String(row['delivery_id']));
    const sent = String((await readStates('it'))[0]?.['delivery_id']);
    const { code, stdout, stderr } = await runCli('redeliver', ...dead, sent, 'no-such', '--by', 'Kim', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      redelivered: expect.arrayContaining(dead) as unknown,
      refused: [{ deliveryId: sent }, { deliveryId: 'no-such' }],
    });
    expect(stderr).toMatch(/There is no such delivery/);
    await waitUntil(
      async () => (await readStates('away')).filter(({ state }) => state === 'sent').length === dead.length,
    );
    expect((await listSignals(temporal.client, 'away:2')).map(({ deliveryId }) => deliveryId).sort()).toEqual(
      [...dead].sort(),
    );
    const decisions = await database.query(
      `select actor, what, subject from personio.decisions where what = 'redeliver'`,
    );
    expect(decisions).toContainEqual({ actor: 'Kim', what: 'redeliver', subject: `delivery ${dead[0] ?? ''}` });
    expect((await runCli('redeliver')).code).toBe(2);
  });

  test('redeliver --since sends a new subscriber what it missed', async () => {
    writeFileSync(join(folder, 'personio-sync.yaml'), `${POLICY}${LATER}`);
    worker.child.kill('SIGKILL');
    await worker.ended;
    worker = await startWorker();
    // The planned delivery comes by itself; what was due before the subscriber existed does not.
    await waitUntil(async () => (await readStates('later')).length === 1);
    expect((await runCli('redeliver', '--subscriber', 'nobody', '--since', TODAY)).code).toBe(2);
    expect((await runCli('redeliver', '--subscriber', 'later', '--since', addDays(TODAY, -1))).code).toBe(0);
    await waitUntil(async () => (await readStates('later')).filter(({ state }) => state === 'sent').length === 6);
    expect((await runCli('redeliver', '--subscriber', 'later', '--since', addDays(TODAY, -1))).code).toBe(0);
    expect(await readStates('later')).toHaveLength(7);
    expect((await listSignals(temporal.client, 'later:2')).map(({ kind }) => kind)).toEqual([
      'mover.changed',
      'mover.changed',
    ]);
  });
});

test('a stopped worker exits cleanly and leaves undispatched people to the next', async () => {
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ code: 0 });
  await addCrowd(database, 2_000, { handed_over_to: null });
  const countWaiting = async (): Promise<number> =>
    (
      await database.query(
        `select from personio.lifecycle_events where employee_id like 'crowd-%' and handed_over_to is null`,
      )
    ).length;
  worker = await startWorker();
  await waitUntil(async () => (await countWaiting()) < 2_000);
  worker.child.kill('SIGTERM');
  const { code, stdout, stderr } = await worker.ended;
  expect(code).toBe(0);
  expect(stdout + stderr).not.toMatch(/did not succeed/);
  const left = await countWaiting();
  expect(left).toBeGreaterThan(0);
  await waitUntil(async () => {
    const crowd = workflowId.employee('default', 'crowd-');
    const { count } = await temporal.client.workflow.count(
      `WorkflowType = "${WORKFLOW_TYPE.employeeLifecycle}" AND WorkflowId STARTS_WITH "${crowd}"`,
    );
    return count === 2_000 - left;
  });
}, 120_000);
