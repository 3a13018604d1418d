#!/usr/bin/env node
/** Starts the compiled program, or prints why it cannot. Plain JavaScript, so that it runs before anything is built. */
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// On a machine with much memory, V8 lets the heap grow to a multiple of its live objects before it collects: a worker
// that reads pages all day took 440 MB instead of 270. A limit in NODE_OPTIONS applies as well.
setFlagsFromString('--heap-growing-percent=20');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/src/cli/main.js', import.meta.url);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`personio-sync needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else if (!existsSync(main)) {
  process.stderr.write(
    'personio-sync is not built. Run `npm install` (or `npm run build`) in its folder, then try again.\n',
  );
  process.exitCode = 1;
} else {
  const { main: run } = await import(main.href);
  await run(process.argv.slice(2));
}
