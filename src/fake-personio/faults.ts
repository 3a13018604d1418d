import type { FakeResponse, SeenRequest } from './responses.js';

/** Fault that a test or demo switches on. */
export interface FaultRule {
  /** Path that it applies to. */
  readonly path: string;
  /** Query parameters that a request must have. Default: any. */
  readonly query?: Readonly<Record<string, string>>;
  /** Number of matching requests to let pass first. Default: 0. */
  readonly after?: number;
  /** Number of requests to spoil. Default: all. */
  readonly times?: number;
  /** Returns what is sent in place of the server's own response. */
  readonly respond: (seen: SeenRequest, own: FakeResponse) => FakeResponse;
}

/** Fault rules in force, with the number of requests that each has matched. */
export class Faults {
  private readonly rules: { readonly rule: FaultRule; matched: number }[] = [];

  add(rule: FaultRule): void {
    this.rules.push({ rule, matched: 0 });
  }

  clear(): void {
    this.rules.length = 0;
  }

  /** Returns the response after all matching rules, in the order in which they were added. */
  apply(seen: SeenRequest, own: FakeResponse): FakeResponse {
    let response = own;
    for (const entry of this.rules) {
      const { path, query = {}, after = 0, times = Number.POSITIVE_INFINITY } = entry.rule;
      const isMatching =
        path === seen.path && Object.entries(query).every(([key, value]) => seen.query.get(key) === value);
      if (!isMatching) continue;
      entry.matched += 1;
      if (entry.matched > after && entry.matched <= after + times) response = entry.rule.respond(seen, response);
    }
    return response;
  }
}
