import { parsePolicy } from '../../src/config/policy-file.js';
import type { Policy, Subscriber } from '../../src/domain/policy.js';

/** The policy of a YAML text; the tests' servers have no need of Personio's limits. */
export function createPolicy(yaml = ''): Policy {
  const { policy, faults } = parsePolicy(yaml);
  if (policy === null) throw new Error(faults.join('\n'));
  return { ...policy, reading: { ...policy.reading, requestsPerMinute: 1_000_000, requestsPerSecond: 100_000 } };
}

/** A subscriber with everything said. */
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
