import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isMetadataAddress } from './metadata-addresses.js';

/** Code of the error for a refused name. */
export const REFUSED_ADDRESS = 'EMETADATA';

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Resolves a name as Node does, but refuses one that resolves to a link-local or metadata address. Runs for each new
 * socket, since a name that was harmless when it was stored may resolve elsewhere today.
 */
export function ssrfSafeLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, options, (error, address, family) => {
    if (error !== null) {
      callback(error, []);
      return;
    }
    const found = typeof address === 'string' ? [address] : address.map((one) => one.address);
    if (found.some(isMetadataAddress))
      callback(Object.assign(new Error('The name resolves to a refused address.'), { code: REFUSED_ADDRESS }), []);
    else callback(null, address, family);
  });
}

/** Returns whether `ssrfSafeLookup` refuses the host of a URL. False when the host cannot be resolved now. */
export async function isMetadataHost(url: string): Promise<boolean> {
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) =>
    ssrfSafeLookup(hostname, { all: true }, (error) =>
      resolve(error !== null && 'code' in error && error.code === REFUSED_ADDRESS),
    ),
  );
}
