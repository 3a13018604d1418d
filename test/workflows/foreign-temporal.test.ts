import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Connection } from '@temporalio/client';
import { runThroughSchedule } from '../../src/cli/runs/start-run.js';
import { RETENTION_SCHEDULE_ID, TASK_QUEUE, WORKFLOW_TYPE, toScheduleId } from '../../src/contracts/internal/names.js';
import { connectTemporal } from '../../src/temporal/connection.js';
import type { TemporalClients, TemporalTarget } from '../../src/temporal/connection.js';
import { describeServiceError } from '../../src/temporal/errors.js';
import { findScheduleOwner } from '../../src/temporal/schedule-owner.js';
import type { Installation } from '../../src/temporal/schedule-owner.js';
import {
  applySchedules,
  createSchedules,
  deleteConnectionSchedules,
  deleteSchedules,
  listSchedules,
} from '../../src/temporal/schedules.js';
import { findMissingSearchAttributes, registerSearchAttributes } from '../../src/temporal/search-attributes.js';
import { createPolicy } from '../support/policy.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/** A Temporal server that others set up: names taken, nothing free, nothing allowed, another installation there. */
const NAMES = ['PersonioConnection', 'PersonioEndpoint', 'PersonioEmployeeId', 'PersonioOutcome'];
const KEYWORD = 2;
const INT = 3;
const { schedule } = createPolicy();

let temporal: TemporalClients;
let target: TemporalTarget;
beforeEach(async () => ({ temporal, target } = await createNamespace()));
afterEach(async () => temporal.close());

const remove = async (searchAttributes: string[]): Promise<void> => {
  const { namespace, connection } = temporal;
  await connection.operatorService.removeSearchAttributes({ namespace, searchAttributes });
};
const addTypes = async (searchAttributes: Record<string, number>): Promise<void> => {
  const { namespace, connection } = temporal;
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
};
const listTypes = async (): Promise<Record<string, unknown>> => {
  const { namespace, connection } = temporal;
  return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
};

const refused = async (): Promise<never> =>
  Promise.reject(Object.assign(new Error('no'), { code: 7, details: 'no', metadata: {} }));
/** A connection whose operator service refuses everything, as Temporal Cloud's does. */
const withoutOperator = (): Connection =>
  ({
    workflowService: temporal.connection.workflowService,
    operatorService: { listSearchAttributes: refused, addSearchAttributes: refused },
  }) as unknown as Connection;

describe('search attributes', () => {
  test('of another type are named with the remedy, and nothing is registered', async () => {
    await remove(NAMES);
    await addTypes({ PersonioEndpoint: INT, PersonioOutcome: INT });
    const fault =
      /has the search attributes PersonioEndpoint, PersonioOutcome with another type .* search-attribute remove /;
    await waitUntil(async () => 'PersonioOutcome' in (await listTypes()));
    await expect(registerSearchAttributes(temporal.connection, temporal.namespace)).rejects.toThrow(fault);
    await expect(findMissingSearchAttributes(temporal.connection, temporal.namespace)).rejects.toThrow(fault);
    expect(await listTypes()).not.toHaveProperty('PersonioConnection');
  });

  test('that a namespace has no room for are named, and none of them is registered', async () => {
    await remove(NAMES);
    await addTypes(Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`Other${index}`, KEYWORD])));
    await waitUntil(async () => 'Other6' in (await listTypes()) && !('PersonioOutcome' in (await listTypes())));
    await expect(registerSearchAttributes(temporal.connection, temporal.namespace)).rejects.toThrow(
      /has no room for the search attributes PersonioConnection, .* of the type Keyword\. Remove some/,
    );
    expect(Object.keys(await listTypes()).filter((name) => NAMES.includes(name))).toEqual([]);
  });

  test('are found by searching where the server does not let us list them', async () => {
    expect(await findMissingSearchAttributes(withoutOperator(), temporal.namespace)).toEqual([]);
    expect(await registerSearchAttributes(withoutOperator(), temporal.namespace)).toMatchObject({ remedy: null });
  });

  test('that are missing there are named with the commands that register them', async () => {
    await remove(['PersonioOutcome']);
    await waitUntil(async () => (await findMissingSearchAttributes(withoutOperator(), temporal.namespace)).length > 0);
    const { registered, remedy } = await registerSearchAttributes(withoutOperator(), temporal.namespace);
    expect(registered).toEqual([]);
    expect(remedy).toMatch(/search-attribute create .*--name PersonioOutcome --type Keyword`.*tcld namespace/);
  });
});

test('an unknown namespace is refused with the remedy', async () => {
  await expect(connectTemporal({ ...target, namespace: 'nobody-made-it' }, 1_000)).rejects.toMatchObject({
    name: 'TemporalSetupError',
    message: expect.stringMatching(/has no namespace nobody-made-it\. Correct TEMPORAL_NAMESPACE, or create it/),
  });
});

test('a call that Temporal refuses or does not answer is a sentence', async () => {
  await expect(refused().catch(describeServiceError)).resolves.toMatch(/refused .*PERMISSION_DENIED.*TEMPORAL_API_KEY/);
  const lost = Object.assign(new Error('x'), { code: 14, details: '', metadata: {} });
  expect(describeServiceError(lost)).toMatch(/did not answer .*UNAVAILABLE/);
  expect(describeServiceError(new Error('x'))).toBeNull();
});

describe('two installations in a namespace', () => {
  const createInstallation = (installationId: string, ...connectionIds: readonly string[]): Installation => ({
    client: temporal.client,
    installationId,
    connectionIds,
  });
  const listSchedulesFor = async (connectionId: string): Promise<readonly string[]> =>
    (await listSchedules(temporal.client)).filter((id) => id.startsWith(`personio:${connectionId}:`));

  test('change and delete their own schedules only', async () => {
    const first = createInstallation('one', 'alpha');
    const second = createInstallation('two', 'beta');
    await applySchedules(first, schedule);
    await waitUntil(async () => (await listSchedulesFor('alpha')).length === 4);
    expect(await applySchedules(second, schedule)).toMatchObject({
      deleted: [],
      foreign: await listSchedulesFor('alpha'),
    });
    await waitUntil(async () => (await listSchedulesFor('beta')).length === 4);
    expect(await applySchedules(first, schedule)).toMatchObject({ created: [], deleted: [] });
    expect(await deleteConnectionSchedules(second, 'alpha')).toEqual([]);
    expect(await findScheduleOwner(first, RETENTION_SCHEDULE_ID)).toBe('own');
    const deleted = await deleteSchedules(second);
    expect(deleted).toHaveLength(5);
    await waitUntil(async () => (await listSchedulesFor('beta')).length === 0);
    expect(await listSchedulesFor('alpha')).toHaveLength(4);
    expect(await findScheduleOwner(first, RETENTION_SCHEDULE_ID)).toBe('own');
  });

  test('with the same connection ID: the second is refused before anything is changed', async () => {
    await applySchedules(createInstallation('one', 'default'), schedule);
    const second = createInstallation('two', 'another', 'default');
    for (const act of [applySchedules(second, schedule), createSchedules(second, 'default', schedule)])
      await expect(act).rejects.toThrow(/has personio:default:employees, .* Nothing was changed\. Use a namespace/);
    expect(await findScheduleOwner(second, toScheduleId('another', 'employees'))).toBe('absent');
  });

  test('a sync never triggers the schedule of the other', async () => {
    await applySchedules(createInstallation('one', 'default'), schedule);
    const installation = createInstallation('two', 'default');
    const request = { connectionId: 'default', endpoint: 'departments', policy: createPolicy(), installation } as const;
    await expect(runThroughSchedule(request, () => undefined)).rejects.toThrow(/of another installation/);
    const { info } = await temporal.client.schedule.getHandle(toScheduleId('default', 'departments')).describe();
    expect(info.numActionsTaken).toBe(0);
  });

  test('schedules of an earlier version, without a mark, belong to who has their connection', async () => {
    const create = async (connectionId: string, workflowType: string): Promise<unknown> =>
      temporal.client.schedule.create({
        scheduleId: toScheduleId(connectionId, 'departments'),
        spec: { cronExpressions: ['0 3 * * *'] },
        action: { type: 'startWorkflow', workflowType, taskQueue: TASK_QUEUE.sync },
      });
    await create('mine', WORKFLOW_TYPE.departments);
    await create('foreign', WORKFLOW_TYPE.departments);
    await create('program', 'ofAnotherProgram');
    await waitUntil(async () => (await listSchedules(temporal.client)).length === 3);
    const changes = await applySchedules(createInstallation('one', 'mine'), {
      ...schedule,
      cron: { ...schedule.cron, departments: null },
    });
    expect(changes.deleted).toEqual([toScheduleId('mine', 'departments')]);
    expect(changes.foreign).toEqual([toScheduleId('foreign', 'departments'), toScheduleId('program', 'departments')]);
    await expect(applySchedules(createInstallation('one', 'program'), schedule)).rejects.toThrow(/another program/);
  });
});
