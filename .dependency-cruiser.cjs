/**
 * The layers of this project, as rules: contracts ← domain ← { config, crypto, personio, store, observability } ← activities ← temporal ← worker ← cli.
 * `test/architecture/layers.test.ts` holds them; by hand: `npx depcruise src workflows activities`. The comment of a rule is its remedy.
 */
const OURS = '^(src|workflows|activities)/';
const FOLDERS = [
  'cli',
  'config',
  'contracts',
  'crypto',
  'domain',
  'embedded',
  'fake-personio',
  'network',
  'observability',
  'personio',
  'store',
  'temporal',
  'worker',
];
const CONTRACTS = 'src/contracts/';
const DOMAIN = 'src/domain/';
const NETWORK = 'src/network/';
const INNER = ['src/config/', 'src/crypto/', 'src/personio/', 'src/store/', 'src/observability/'];
/** The interfaces that the store fulfils for the client of Personio, with their error types. */
const PORTS = 'src/personio/(api|auth|errors)[.]ts$';

/** Of this repository, `folder` may import itself and `allowed`, and nothing else. */
const layer = (folder, allowed, remedy) => ({
  name: `layer-${folder.replace(/^src\//, '')}`,
  severity: 'error',
  comment: remedy,
  from: { path: `^${folder}/` },
  to: { path: OURS, pathNot: [`${folder}/`, ...allowed].map((path) => `^${path}`) },
});

const named = (packages) => `^(node_modules/)?(@types/)?(${packages.join('|')})(/|$)`;

/** Of packages and Node's own modules, `folder` may import `packages`, and nothing else. */
const outside = (folder, packages, remedy) => ({
  name: `packages-of-${folder.replace(/^src\//, '')}`,
  severity: 'error',
  comment: remedy,
  from: { path: `^${folder}/` },
  to: { pathNot: [OURS, named(packages)] },
});

/** Only `folders` import these packages. */
const only = (packages, folders, remedy) => ({
  name: `only-there-${packages[0]}`,
  severity: 'error',
  comment: remedy,
  from: { pathNot: folders.map((folder) => `^${folder}/`) },
  to: { path: named(packages) },
});

// prettier-ignore
const forbidden = [
  layer('src/contracts', [], 'Other teams install src/contracts: move what it needs into it, or let the caller pass it in.'),
  layer('src/domain', [CONTRACTS], 'Decisions are pure: take the value as an argument, and let an activity fetch it.'),
  layer('src/network', [], 'Guards of the network know no layer: pass the values in.'),
  layer('src/config', [CONTRACTS, DOMAIN, NETWORK], 'Settings are read before anything else exists: pass what is read on as plain values.'),
  layer('src/crypto', [CONTRACTS, DOMAIN], 'Sealing knows keys and bytes only: let the caller bring what is sealed.'),
  layer('src/observability', [CONTRACTS, DOMAIN], 'Logs and metrics know no layer: pass the values in.'),
  layer('src/personio', [CONTRACTS, DOMAIN, NETWORK], 'The client of Personio stores nothing: declare a port in api.ts, fulfil it in src/store, join both in activities/.'),
  layer('src/store', [CONTRACTS, DOMAIN, 'src/crypto/', PORTS], 'The store calls nobody: of src/personio only api.ts, auth.ts and errors.ts are its ports; let an activity call both sides.'),
  layer('src/embedded', [], 'The servers that we start know nothing of the program: pass paths and settings in.'),
  layer('src/fake-personio', ['src/domain/zones[.]ts$'], 'The made-up company must not share the code that it is there to check, time zones aside.'),
  layer('activities', [CONTRACTS, DOMAIN, ...INNER], 'Activities translate between Temporal and src: move what they want from src/cli or src/temporal inwards, or pass it in.'),
  layer('src/temporal', [CONTRACTS, DOMAIN, ...INNER, 'activities/'], 'src/temporal connects and starts: let src/cli compose it with the rest.'),
  layer('src/worker', [CONTRACTS, DOMAIN, ...INNER, 'src/temporal/', 'activities/'], 'A worker process knows no command: let src/cli pass in what it needs.'),
  layer('src/cli', ['src/', 'activities/'], 'Workflow code runs in the sandbox only: start it by its type, from src/contracts/internal/names.ts.'),
  layer('workflows', [CONTRACTS, DOMAIN], 'Workflows see src/contracts and src/domain: declare the step in src/contracts/internal/activities.ts and call it through workflows/proxies.ts.'),
  outside('src/contracts', ['zod', '@temporalio/workflow'], 'Other teams would have to install it: src/contracts imports zod, and its workflow part @temporalio/workflow.'),
  outside('src/domain', ['temporal-polyfill'], 'No I/O, clock or driver in decisions: take the value as an argument.'),
  outside('workflows', ['@temporalio/workflow', '@temporalio/common', 'personio-sync-contracts'], 'It would not run, or not replay, in the sandbox: do it in an activity.'),
  only(['pg', 'pg-copy-streams', 'node-pg-migrate'], ['src/store', 'src/embedded'], 'SQL lives in src/store: add a function there.'),
  only(['got'], ['src/personio'], 'Requests to Personio go through src/personio/http.ts, which keeps secrets out of errors.'),
  only(['jose'], ['src/crypto'], 'Sealing lives in src/crypto: add a function there.'),
  only(['commander'], ['src/cli'], 'Arguments are read in src/cli: pass the value in.'),
  { name: 'no-circular', severity: 'error', comment: 'Move what both need into a module of its own, below them.', from: {}, to: { circular: true } },
  { name: 'no-orphans', severity: 'error', comment: 'Nothing imports it and it imports nothing: use it or delete it.', from: { orphan: true, pathNot: '[.]d[.]ts$' }, to: {} },
  { name: 'no-unknown-folder', severity: 'error', comment: 'A new folder of src needs a layer: give it a line in .dependency-cruiser.cjs and in docs/architecture.md.', from: { path: '^src/', pathNot: `^src/(${FOLDERS.join('|')})/` }, to: {} },
];

module.exports = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(src/contracts/)?dist/' },
    // `import type` couples layers too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
