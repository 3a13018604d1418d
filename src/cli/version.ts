import { existsSync, readFileSync } from 'node:fs';

/** The package's manifest, seen from the sources in a clone and from `dist/src/cli`. */
const MANIFESTS = ['../../package.json', '../../../package.json'].map((path) => new URL(path, import.meta.url));

/** Returns the version of the package. */
export function readVersion(): string {
  const manifest = MANIFESTS.find((url) => existsSync(url));
  if (manifest === undefined) return 'unknown';
  const content: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown';
}
