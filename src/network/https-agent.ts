import { Agent } from 'node:https';
import { HttpsProxyAgent } from 'hpagent';
import { getProxyForUrl } from 'proxy-from-env';
import { ssrfSafeLookup } from './ssrf-safe-lookup.js';

/** Agent for one server, and whether a proxy is between, which then resolves the server's name. */
export interface HttpsRoute {
  readonly agent: Agent;
  readonly isProxied: boolean;
}

/** Creates the agent for a server: through the proxy of `HTTPS_PROXY`, unless `NO_PROXY` names the server. */
export function createHttpsRoute(origin: string): HttpsRoute {
  const proxy = origin.startsWith('https:') ? getProxyForUrl(origin) : '';
  if (proxy === '') return { agent: new Agent({ keepAlive: true, lookup: ssrfSafeLookup }), isProxied: false };
  return { agent: new HttpsProxyAgent({ keepAlive: true, proxy }), isProxied: true };
}
