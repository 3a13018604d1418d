import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isMetadataAddress } from './metadata-addresses.js';

/** Code of the error with which a name is refused. */
export const REFUSED_ADDRESS = 'EMETADATA';

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Node's own lookup, which refuses names that lead to link-local and metadata addresses. For each connection anew, since a name that was
 * harmless when it was stored may point elsewhere today.
 */
export function ssrfSafeLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, options, (error, address, family) => {
    if (error !== null) {
      callback(error, []);
      return;
    }
    const found = typeof address === 'string' ? [address] : address.map((one) => one.address);
    if (found.some(isMetadataAddress)) callback(Object.assign(new Error('Refused.'), { code: REFUSED_ADDRESS }), []);
    else callback(null, address, family);
  });
}

/** @returns whether the host of a URL is a name that is refused. One that cannot be resolved now is not. */
export async function isMetadataHost(url: string): Promise<boolean> {
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) =>
    ssrfSafeLookup(hostname, { all: true }, (error) =>
      resolve(error !== null && 'code' in error && error.code === REFUSED_ADDRESS),
    ),
  );
}
