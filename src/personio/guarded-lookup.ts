import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isMetadataAddress } from '../domain/addresses.js';

/** Code of the error with which a name is refused. */
export const REFUSED_ADDRESS = 'EMETADATA';

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Node's own lookup, which refuses names that lead to link-local and metadata addresses. For each connection anew, since a name that was
 * harmless when it was stored may point elsewhere today.
 */
export function guardedLookup(hostname: string, options: LookupOptions, done: LookupDone): void {
  lookup(hostname, options, (error, address, family) => {
    if (error !== null) {
      done(error, []);
      return;
    }
    const found = typeof address === 'string' ? [address] : address.map((one) => one.address);
    if (found.some(isMetadataAddress)) done(Object.assign(new Error('Refused.'), { code: REFUSED_ADDRESS }), []);
    else done(null, address, family);
  });
}

/** @returns whether the host of a URL is a name that is refused. One that cannot be resolved now is not. */
export async function leadsToMetadata(url: string): Promise<boolean> {
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) =>
    guardedLookup(hostname, { all: true }, (error) =>
      resolve(error !== null && 'code' in error && error.code === REFUSED_ADDRESS),
    ),
  );
}
