/** Returns the size of a test that is also a measurement: small, unless `PERSONIO_SYNC_TEST_<NAME>` says otherwise. */
export function getScale(name: string, otherwise: number): number {
  const value = Number(process.env[`PERSONIO_SYNC_TEST_${name}`] ?? '');
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}
