/**
 * Records histories for the replay tests with Temporal's command line: one closed workflow of each type, and one that
 * continued as new if there is any. Run it against the released version, never against the branch under test:
 *
 *   npm start                                                  # in one terminal
 *   node scripts/record-histories.js PATH-OF-TEMPORAL ADDRESS  # in another; `npm start` prints the address
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [cli, address, namespace = 'default'] = process.argv.slice(2);
if (cli === undefined || address === undefined) {
  console.error('Usage: node scripts/record-histories.js PATH-OF-TEMPORAL ADDRESS [NAMESPACE]');
  process.exit(2);
}
const folder = fileURLToPath(new URL('../test/fixtures/histories', import.meta.url));
const temporal = (...args) =>
  JSON.parse(
    execFileSync(cli, [...args, '--address', address, '--namespace', namespace, '-o', 'json'], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    }),
  );

/** Removes the names of machines and processes. */
const removeIdentities = (text) =>
  text.replaceAll(/"identity":"[^"]*"/g, '"identity":"worker"').replaceAll(/"\d+@[^"]*"/g, '"worker"');

const kept = new Map();
for (const { execution, type, status } of temporal('workflow', 'list', '--limit', '1000')) {
  const isContinued = status === 'WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW';
  if (type.name.startsWith('demo')) continue;
  if (!isContinued && status !== 'WORKFLOW_EXECUTION_STATUS_COMPLETED') continue;
  const name = `${type.name}${isContinued ? '-continued' : ''}`;
  if (!kept.has(name)) kept.set(name, execution);
}
mkdirSync(folder, { recursive: true });
for (const [name, { workflowId, runId }] of kept) {
  const history = temporal('workflow', 'show', '--workflow-id', workflowId, '--run-id', runId);
  const text = removeIdentities(JSON.stringify({ workflowId, events: history.events }));
  writeFileSync(`${folder}/${name}.json`, `${text}\n`);
  console.log(`${name}: ${history.events.length} events`);
}
