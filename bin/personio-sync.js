#!/usr/bin/env node
/** Starts the compiled program, or says why it cannot. Plain JavaScript, so that it runs before anything is built. */
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/src/cli/main.js', import.meta.url);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`personio-sync needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else if (!existsSync(main)) {
  process.stderr.write(
    'personio-sync is not built here. Run `npm install` (or `npm run build`) in its folder, then try again.\n',
  );
  process.exitCode = 1;
} else {
  const { main: run } = await import(main.href);
  await run(process.argv.slice(2));
}
