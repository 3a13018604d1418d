/** Link-local networks, and the addresses at which clouds hand out credentials to whoever asks from inside. */
const METADATA_PATTERNS = [
  /^169\.254\./,
  /^(100\.100\.100\.200|168\.63\.129\.16|192\.0\.0\.192)$/,
  /^fe[89ab][0-9a-f]:/i,
  /^fd00:ec2::254$/i,
  // An IPv4 address in IPv6's clothes, in both ways of writing it.
  /^::ffff:(169\.254\.|a9fe:)/i,
  /^::ffff:(100\.100\.100\.200|6464:64c8|168\.63\.129\.16|a83f:8110|192\.0\.0\.192|c000:c0)$/i,
];

/**
 * @param address as DNS gives it, or the host of a URL (IPv6 in brackets or not).
 * @returns whether it is one that a Personio server never has, and that a forged base URL or DNS record would name.
 */
export function isMetadataAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '');
  return METADATA_PATTERNS.some((pattern) => pattern.test(bare));
}
