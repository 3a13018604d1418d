/** Link-local networks, and the addresses at which clouds issue credentials to any process inside. */
const METADATA_PATTERNS = [
  /^169\.254\./,
  /^(100\.100\.100\.200|168\.63\.129\.16|192\.0\.0\.192)$/,
  /^fe[89ab][0-9a-f]:/i,
  /^fd00:ec2::254$/i,
  // IPv4 addresses mapped into IPv6, in both notations.
  /^::ffff:(169\.254\.|a9fe:)/i,
  /^::ffff:(100\.100\.100\.200|6464:64c8|168\.63\.129\.16|a83f:8110|192\.0\.0\.192|c000:c0)$/i,
];

/**
 * Returns whether an address is link-local or a cloud's metadata service. No Personio server has one, but a forged base
 * URL or DNS record may lead to it.
 *
 * @param address from DNS, or the host of a URL (IPv6 with or without brackets).
 */
export function isMetadataAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '');
  return METADATA_PATTERNS.some((pattern) => pattern.test(bare));
}
