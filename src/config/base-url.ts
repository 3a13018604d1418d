import { isMetadataAddress } from '../network/metadata-addresses.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks the base URL of a Personio server. It may end in `/v1`, as in Personio's guides.
 *
 * @returns the origin, or the fault as the end of a sentence, without the value.
 */
export function parseBaseUrl(text: string): { readonly origin: string } | { readonly fault: string } {
  if (!URL.canParse(text)) return { fault: 'is not a URL; the usual one is https://api.personio.de' };
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { fault: 'must begin with https://' };
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    return { fault: 'uses http: for a host other than this machine; secrets need https:' };
  }
  if (url.username !== '' || url.password !== '')
    return { fault: 'contains credentials; set the client id and secret separately' };
  if (isMetadataAddress(url.hostname)) return { fault: 'is a link-local or metadata address, not a Personio server' };
  if (url.search !== '' || url.hash !== '') return { fault: 'contains a query or a fragment; remove it' };
  if (!/^\/(v1\/?)?$/.test(url.pathname)) return { fault: 'contains a path; use the origin alone' };
  return { origin: url.origin };
}
