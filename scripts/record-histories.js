/**
 * Records histories for the replay tests, by Temporal's own command line: one of each workflow type that has closed, and one that went on in
 * a new execution where there is one. Run it against the released version, never against the branch under test:
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

/** Who ran it and where is nobody's business. */
const withoutIdentities = (text) =>
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
  const text = withoutIdentities(JSON.stringify({ workflowId, events: history.events }));
  writeFileSync(`${folder}/${name}.json`, `${text}\n`);
  console.log(`${name}: ${history.events.length} events`);
}
