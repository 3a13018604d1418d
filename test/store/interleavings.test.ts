import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { Scenario, listMoments, listOrders, listSerialRuns } from '../support/interleaving.js';
import type { Kind } from '../support/interleaving.js';

/*
 * Two operations at a time, in every order of their steps, while HR changes its data at every moment that the reads can
 * tell apart. What they leave must equal what they leave one after the other.
 */

let database: Database;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => database.close());

/** Returns the states that two operations leave one after the other. */
async function listSerialOutcomes(kinds: readonly [Kind, Kind]): Promise<ReadonlySet<string>> {
  const outcomes = new Set<string>();
  for (const run of listSerialRuns(kinds)) {
    const scenario = await Scenario.prepare(database, kinds);
    for (const [kind, changes] of run) await scenario.runWhole(kind, changes);
    outcomes.add(scenario.states.join('\n'));
  }
  return outcomes;
}

const PAIRS: readonly (readonly [Kind, Kind])[] = [
  ['full', 'full'],
  ['full', 'refresh'],
  ['refresh', 'refresh'],
  ['full', 'erase'],
  ['refresh', 'erase'],
  ['full', 'approve'],
  ['refresh', 'approve'],
  ['full', 'reject'],
  ['refresh', 'reject'],
  ['attendances', 'attendances'],
  ['attendances', 'backfill'],
  ['attendances', 'erase'],
];

/** Pairs that add nothing of their own: the events of an erased person, or an approved leaving, remain. */
const READS_ONLY = /^(full|refresh|attendances|backfill),(full|refresh|attendances|backfill)$/;

test.each(PAIRS)(
  '%s and %s in any order leave what some serial order leaves',
  async (...kinds) => {
    const serial = await listSerialOutcomes(kinds);
    const orders = listOrders(kinds);
    const moments = listMoments(kinds);
    // The reads that follow bring every connection that read what HR has to the same state, by the same events.
    const settled = new Map<string, string>();
    const check = async (order: readonly number[], changedAfter: number): Promise<void> => {
      const scenario = await Scenario.prepare(database, kinds);
      await scenario.runInterleaved(kinds, order, changedAfter);
      const states = scenario.states.join('\n');
      if (!serial.has(states))
        throw new Error(`${kinds.join(' and ')}, order ${order.join('')}, change ${changedAfter}: ${states}`);
      const last = scenario.states.at(-1) ?? '';
      if (READS_ONLY.test(kinds.join()) && !settled.has(last)) settled.set(last, await scenario.settle());
    };
    for (const order of orders) await Promise.all(moments.map(async (changedAfter) => check(order, changedAfter)));
    if (READS_ONLY.test(kinds.join())) {
      expect(new Set(settled.values()).size).toBe(1);
      expect([...settled.values()].join()).not.toContain('joiner.rehired');
    }
    process.stdout.write(
      `Interleavings: ${kinds.join(' and ')}, ${orders.length} orders of steps with ${moments.length} moments of ` +
        `change, ${serial.size} different serial outcomes (${PAIRS.length} pairs in all).\n`,
    );
  },
  300_000,
);
