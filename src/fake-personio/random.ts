/** Repeatable random numbers. */
export interface Random {
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly next: () => number;
  readonly pick: <T>(from: readonly [T, ...T[]]) => T;
  /** Returns a whole number from `low` to `high`, inclusive. */
  readonly pickBetween: (low: number, high: number) => number;
  readonly isLucky: (probability: number) => boolean;
}

/** Creates a generator that always gives the same numbers for a seed: Mulberry32, by Tommy Ettinger. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    pick: (from) => from[Math.floor(next() * from.length)] ?? from[0],
    pickBetween: (low, high) => low + Math.floor(next() * (high - low + 1)),
    isLucky: (probability) => next() < probability,
  };
}
