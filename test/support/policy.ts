import { parsePolicy } from '../../src/config/policy-file.js';
import type { Policy, Subscriber } from '../../src/domain/policy.js';

/** Creates a policy from YAML, without Personio's request limits. Default: all defaults. */
export function createPolicy(yaml = ''): Policy {
  const { policy, faults } = parsePolicy(yaml);
  if (policy === null) throw new Error(faults.join('\n'));
  return { ...policy, reading: { ...policy.reading, requestsPerMinute: 1_000_000, requestsPerSecond: 100_000 } };
}

/** Creates a subscriber; default: the demo workflow, without events. */
export function createSubscriber(more: Partial<Subscriber> = {}): Subscriber {
  return {
    name: 'it',
    workflowType: 'demoDownstream',
    workflowId: 'it:{connectionId}:{employeeId}',
    taskQueue: 'demo-it',
    namespace: null,
    start: true,
    events: [],
    when: 'effective',
    acknowledgeWithinSeconds: 86_400,
    escalateTo: null,
    ...more,
  };
}
