import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

/** The package's manifest, seen from the sources in a clone and from `dist/src/cli`. */
const MANIFESTS = ['../../package.json', '../../../package.json'].map((path) => new URL(path, import.meta.url));

/** Returns the version of the package. */
export function readVersion(): string {
  const manifest = MANIFESTS.find((url) => existsSync(url));
  if (manifest === undefined) return 'unknown';
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8'))).version;
}
