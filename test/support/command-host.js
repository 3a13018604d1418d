/**
 * Runs command lines of the built program one after the other in this process, each with an environment of its own.
 * Loading the program takes most of a command's time, so a test of many commands loads it once. Plain JavaScript, since
 * Node runs it.
 */
import { main } from '../../dist/src/cli/main.js';

/** Thrown in place of the end of the process. */
class Exited extends Error {
  constructor(code) {
    super(`exit ${code}`);
    this.code = code;
  }
}

let written = { stdout: '', stderr: '' };

for (const name of ['stdout', 'stderr']) {
  process[name].write = (chunk, ...rest) => {
    written[name] += String(chunk);
    rest.find((argument) => typeof argument === 'function')?.();
    return true;
  };
}
process.exit = (code) => {
  throw new Exited(code);
};

process.on('message', ({ args, environment }) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  written = { stdout: '', stderr: '' };
  main(args).catch((error) => {
    const isExit = error instanceof Exited;
    process.send({ ...written, code: isExit ? error.code : null, stderr: isExit ? written.stderr : error.stack });
  });
});
