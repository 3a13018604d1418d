/**
 * A separate process that outlives its parent for a moment: when the pipe to the parent breaks, however the parent
 * ended, it stops the servers that the parent started. It reads lines `<pid> <signal>`, and `done` once the parent
 * has stopped them itself.
 */
import { createInterface } from 'node:readline';

const STOP_TIMEOUT_MS = 15_000;
const watched = new Map();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const send = (pid, signal) => {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'done') watched.clear();
  const [, pid, signal] = /^(\d+) (SIG[A-Z]+)$/.exec(line) ?? [];
  if (pid !== undefined) watched.set(Number(pid), signal);
}

for (const [pid, signal] of watched) send(pid, signal);
const until = Date.now() + STOP_TIMEOUT_MS;
while ([...watched.keys()].some(isAlive) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
for (const pid of watched.keys()) send(pid, 'SIGKILL');
