/** Requests that a server takes in a while. */
export interface RateLimit {
  readonly bucket: string;
  readonly requests: number;
  readonly windowMs: number;
}

/** Personio's published limits of v1 (docs and changelog of developer.personio.de). */
export const PERSONIO_LIMITS: readonly RateLimit[] = [
  { bucket: '/v1/company/employees', requests: 300, windowMs: 60_000 },
  { bucket: '/v1/company/employees', requests: 15, windowMs: 1_000 },
  { bucket: '/v1/auth', requests: 60, windowMs: 60_000 },
  { bucket: '/v1', requests: 2_000, windowMs: 60_000 },
];

/** Counts what arrived in sliding windows. A bucket is a path, or the beginning of one. */
export class RateLimits {
  private readonly limits: readonly RateLimit[];
  private readonly arrivals = new Map<RateLimit, number[]>();

  constructor(limits: readonly RateLimit[]) {
    this.limits = limits;
  }

  /** @returns whether a request to `path` is one too many; else it counts. */
  isOver(path: string, nowMs: number): boolean {
    const matching = this.limits.filter(({ bucket }) => path === bucket || path.startsWith(`${bucket}/`));
    const recent = matching.map((limit) => {
      const arrivals = (this.arrivals.get(limit) ?? []).filter((at) => nowMs - at < limit.windowMs);
      this.arrivals.set(limit, arrivals);
      return { limit, arrivals };
    });
    if (recent.some(({ limit, arrivals }) => arrivals.length >= limit.requests)) return true;
    for (const { arrivals } of recent) arrivals.push(nowMs);
    return false;
  }
}
