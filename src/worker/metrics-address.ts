import { lookup } from 'node:dns/promises';
import { SettingsError } from '../config/settings.js';

/**
 * Returns the numeric form of METRICS_ADDRESS, which is all that the SDK accepts.
 *
 * @throws SettingsError where the host name does not resolve.
 */
export async function resolveMetricsAddress(hostAndPort: string): Promise<string> {
  const colon = hostAndPort.lastIndexOf(':');
  const host = hostAndPort.slice(0, colon).replaceAll(/^\[|\]$/g, '');
  const port = hostAndPort.slice(colon + 1);
  try {
    const { address, family } = await lookup(host, { order: 'ipv4first' });
    return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  } catch {
    throw new SettingsError(['METRICS_ADDRESS names a host that does not resolve. Set another `host:port`, or `off`.']);
  }
}
