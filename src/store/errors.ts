import type { FailureType } from '../contracts/internal/errors.js';

/** What the database did. `type` is null where trying again does not help and no promised type fits. Carries no row and no parameter. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly type: Extract<FailureType, 'StoreUnavailable' | 'SnapshotIncomplete'> | null;

  constructor(type: StoreError['type'], sentence: string) {
    super(sentence);
    this.type = type;
  }
}

/**
 * Where a repetition can help (PostgreSQL, appendix A): connections (08), resources (53), operator's intervention (57),
 * system errors (58), conflicts between transactions (40001, 40P01), locks that were not had (55P03).
 */
const TEMPORARY = /^(08|53|57P|58)|^(40001|40P01|55P03|25006)$/;
const NETWORK = /^(E[A-Z]+|ERR_.*)$/;

/** @returns an error of the driver as ours where trying again can help; others as they are. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '28P01' || code === '28000') {
    return new StoreError('StoreUnavailable', 'PostgreSQL refused the user or the password of DATABASE_URL.');
  }
  if (code === '3D000')
    return new StoreError('StoreUnavailable', 'PostgreSQL has no database of the name in DATABASE_URL.');
  const isBroken =
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered|Cannot use a pool/.test(
      error.message,
    );
  if (TEMPORARY.test(code) || NETWORK.test(code) || isBroken) {
    return new StoreError(
      'StoreUnavailable',
      `PostgreSQL could not be reached or broke off${code === '' ? '' : ` (${code})`}. It is tried again.`,
    );
  }
  return error;
}
