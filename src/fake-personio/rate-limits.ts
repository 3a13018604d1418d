/** Number of requests that a server accepts in a sliding window. */
export interface RateLimit {
  /** Path, or its beginning up to a slash. */
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

/** Counter of requests in sliding windows. */
export class RateLimits {
  private readonly limits: readonly RateLimit[];
  private readonly arrivals = new Map<RateLimit, number[]>();

  constructor(limits: readonly RateLimit[]) {
    this.limits = limits;
  }

  /** Returns whether a request to `path` exceeds a limit. Counts it when it does not. */
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
