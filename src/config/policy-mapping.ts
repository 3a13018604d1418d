import { z } from 'zod';
import { EVENT_KINDS } from '../contracts/public/events.js';
import type { EventKind } from '../contracts/public/events.js';
import type { Policy, Subscriber } from '../domain/policy.js';
import type { PolicyFile, SubscriberEntry } from './policy-schema.js';

interface Fault {
  readonly path: readonly (string | number)[];
  readonly fault: string;
}

/** Part of a subscriber that references need, whatever else is wrong in the file. */
const referencesSchema = z
  .object({
    subscribers: z
      .array(z.object({ name: z.string().nullable().catch(null), escalateTo: z.string().nullable().catch(null) }))
      .catch([]),
  })
  .catch({ subscribers: [] });

/**
 * Checks references between entries, which a schema cannot. Takes the unchecked content of the file, so that its
 * faults are named together with those that the schema finds.
 */
export function checkReferences(content: unknown): readonly Fault[] {
  const { subscribers } = referencesSchema.parse(content);
  const names = subscribers.map((subscriber) => subscriber.name);
  return subscribers.flatMap(({ name, escalateTo }, index) => {
    const faults: Fault[] = [];
    if (name !== null && names.indexOf(name) !== index)
      faults.push({ path: ['subscribers', index, 'name'], fault: 'is also the name of another subscriber' });
    if (escalateTo === null) return faults;
    const path = ['subscribers', index, 'escalateTo'];
    if (escalateTo === name) faults.push({ path, fault: 'names the subscriber itself; name another one' });
    else if (!names.includes(escalateTo)) {
      const known = names.filter((one) => one !== null).join(', ');
      faults.push({ path, fault: `names an unknown subscriber. Known subscribers: ${known}` });
    }
    return faults;
  });
}

/** Returns the policy as the program uses it: durations in seconds, defaults filled in, patterns expanded. */
export function toPolicy(file: PolicyFile): Policy {
  const { schedule, offices, lifecycle } = file;
  const { default: defaultZone = 'Europe/Berlin', ...zones } = offices;
  return {
    schedule: {
      cron: {
        employees: toCron(schedule.employees),
        departments: toCron(schedule.departments),
        attendances: toCron(schedule.attendances),
        'time-off-types': toCron(schedule['time-off-types']),
      },
      timeZone: schedule.timeZone,
      jitterSeconds: schedule.jitter,
      catchUpWithinSeconds: schedule.catchUpWithin,
    },
    reading: file.reading,
    attributesToStore: file.attributes.store,
    offices: { defaultZone, zones },
    lifecycle,
    subscribers: file.subscribers.map(toSubscriber),
    retention: file.retention,
    secretRotationDays: file.secretRotationDays,
  };
}

function toCron(setting: string | false): string | null {
  return setting === false || setting === 'off' ? null : setting;
}

function toSubscriber(entry: SubscriberEntry): Subscriber {
  const { acknowledgeWithin, escalateTo, namespace, events, ...rest } = entry;
  return {
    ...rest,
    events: expandKinds(events),
    namespace: namespace ?? null,
    acknowledgeWithinSeconds: acknowledgeWithin,
    escalateTo: escalateTo ?? null,
  };
}

/** Expands patterns such as `leaver.*` into kinds. */
function expandKinds(patterns: SubscriberEntry['events']): readonly EventKind[] {
  return EVENT_KINDS.filter((kind) =>
    patterns.some(
      (pattern) =>
        pattern === '*' || pattern === kind || (pattern.endsWith('.*') && kind.startsWith(pattern.slice(0, -1))),
    ),
  );
}
