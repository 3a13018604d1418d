import { isMetadataAddress } from '../network/metadata-addresses.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks the address of a Personio server. A value that ends in `/v1` is understood, since that is how Personio's guides write it.
 *
 * @returns the origin, or what is wrong, as the end of a sentence and without the value.
 */
export function parseBaseUrl(text: string): { readonly origin: string } | { readonly fault: string } {
  if (!URL.canParse(text)) return { fault: 'is no URL; the usual one is https://api.personio.de' };
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { fault: 'has to begin with https://' };
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    return { fault: 'uses http: to a host that is not this machine; secrets travel over https: only' };
  }
  if (url.username !== '' || url.password !== '')
    return { fault: 'carries credentials; client id and secret are given separately' };
  if (isMetadataAddress(url.hostname))
    return { fault: 'names a link-local or metadata address, where no Personio server is' };
  if (url.search !== '' || url.hash !== '') return { fault: 'carries a query or a fragment; leave them out' };
  if (!/^\/(v1\/?)?$/.test(url.pathname)) return { fault: 'has a path; it is the origin alone, without /v1' };
  return { origin: url.origin };
}
