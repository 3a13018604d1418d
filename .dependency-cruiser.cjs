/**
 * The layers of this project, as rules: contracts ← domain ← { config, crypto, personio, store, observability } ←
 * activities ← temporal ← worker ← cli. `test/architecture/layers.test.ts` checks them, and so does
 * `npx depcruise src workflows activities`. The comment of a rule is its remedy.
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
const PORTS = 'src/personio/(api|errors)[.]ts$';

/** Lets `folder` import itself and `allowed`, and nothing else of this repository. */
const limitLayer = (folder, allowed, remedy) => ({
  name: `layer-${folder.replace(/^src\//, '')}`,
  severity: 'error',
  comment: remedy,
  from: { path: `^${folder}/` },
  to: { path: OURS, pathNot: [`${folder}/`, ...allowed].map((path) => `^${path}`) },
});

/** Returns the pattern of the files of `packages`. */
const toPackagePattern = (packages) => `^(node_modules/)?(@types/)?(${packages.join('|')})(/|$)`;

/** Lets `folder` import `packages`, and no other package or module of Node. */
const limitPackages = (folder, packages, remedy) => ({
  name: `packages-of-${folder.replace(/^src\//, '')}`,
  severity: 'error',
  comment: remedy,
  from: { path: `^${folder}/` },
  to: { pathNot: [OURS, toPackagePattern(packages)] },
});

/** Lets only `folders` import `packages`. */
const reserve = (packages, folders, remedy) => ({
  name: `only-there-${packages[0]}`,
  severity: 'error',
  comment: remedy,
  from: { pathNot: folders.map((folder) => `^${folder}/`) },
  to: { path: toPackagePattern(packages) },
});

const forbidden = [
  limitLayer(
    'src/contracts',
    [],
    'Other teams install src/contracts: move what it needs into it, or let the caller pass it in.',
  ),
  limitLayer(
    'src/domain',
    [CONTRACTS],
    'Decisions are pure: take the value as an argument, and let an activity fetch it.',
  ),
  limitLayer('src/network', [], 'Guards of the network know no layer: pass the values in.'),
  limitLayer(
    'src/config',
    [CONTRACTS, DOMAIN, NETWORK],
    'Settings are read before anything else exists: pass them on as plain values.',
  ),
  limitLayer(
    'src/crypto',
    [CONTRACTS, DOMAIN],
    'Sealing knows keys and bytes only: let the caller bring what is sealed.',
  ),
  limitLayer('src/observability', [CONTRACTS, DOMAIN], 'Logs and metrics know no layer: pass the values in.'),
  limitLayer(
    'src/personio',
    [CONTRACTS, DOMAIN, NETWORK],
    'src/personio stores nothing: declare a port in api.ts, fulfil it in src/store, join both in activities/.',
  ),
  limitLayer(
    'src/store',
    [CONTRACTS, DOMAIN, NETWORK, 'src/crypto/', PORTS],
    'Of src/personio, the store sees only its ports, api.ts and errors.ts: let an activity call both sides.',
  ),
  limitLayer('src/embedded', [], 'The servers that we start know nothing of the program: pass paths and settings in.'),
  limitLayer(
    'src/fake-personio',
    ['src/domain/zones[.]ts$'],
    'The demo company must not share the code that it tests, time zones aside.',
  ),
  limitLayer(
    'activities',
    [CONTRACTS, DOMAIN, ...INNER],
    'Activities join Temporal and src: move what they need from src/cli or src/temporal inwards, or pass it in.',
  ),
  limitLayer(
    'src/temporal',
    [CONTRACTS, DOMAIN, ...INNER, 'activities/'],
    'src/temporal connects and starts: let src/cli compose it with the rest.',
  ),
  limitLayer(
    'src/worker',
    [CONTRACTS, DOMAIN, ...INNER, 'src/temporal/', 'activities/'],
    'A worker process knows no command: let src/cli pass in what it needs.',
  ),
  limitLayer(
    'src/cli',
    ['src/', 'activities/'],
    'Workflow code runs in the sandbox only: start it by its type, from src/contracts/internal/names.ts.',
  ),
  limitLayer(
    'workflows',
    [CONTRACTS, DOMAIN],
    'Declare the step in src/contracts/internal/activities.ts and call it through workflows/proxies.ts.',
  ),
  {
    name: 'public-contracts',
    severity: 'error',
    comment: 'Other teams install src/contracts/public and nothing else: move what it needs into it.',
    from: { path: '^src/contracts/public/' },
    to: { path: '^src/contracts/internal/' },
  },
  limitPackages(
    'src/contracts',
    ['zod', '@temporalio/workflow'],
    'Other teams would have to install it: src/contracts needs zod, and its workflow part @temporalio/workflow.',
  ),
  limitPackages(
    'src/domain',
    ['temporal-polyfill'],
    'No I/O, clock or driver in decisions: take the value as an argument.',
  ),
  limitPackages(
    'workflows',
    ['@temporalio/workflow', '@temporalio/common', 'personio-sync-contracts'],
    'It would not run, or not replay, in the sandbox: do it in an activity.',
  ),
  reserve(['pg', 'pg-copy-streams'], ['src/store', 'src/embedded'], 'SQL lives in src/store: add a function there.'),
  reserve(
    ['got'],
    ['src/personio'],
    'Requests to Personio go through src/personio/http.ts, which keeps secrets out of errors.',
  ),
  reserve(['jose'], ['src/crypto'], 'Sealing lives in src/crypto: add a function there.'),
  reserve(['commander'], ['src/cli'], 'Arguments are read in src/cli: pass the value in.'),
  {
    name: 'personio-v2-apart',
    severity: 'error',
    comment: 'v1 can be removed without v2: move what both need into src/personio, such as wire.ts or pages.ts.',
    from: { path: '^src/personio/v2/' },
    to: { path: '^src/personio/v1/' },
  },
  {
    name: 'no-circular',
    severity: 'error',
    comment: 'Move what both need into a module of its own, below them.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    severity: 'error',
    comment: 'Nothing imports it and it imports nothing: use it or delete it.',
    from: { orphan: true, pathNot: '[.]d[.]ts$' },
    to: {},
  },
  {
    name: 'no-unknown-folder',
    severity: 'error',
    comment: 'A new folder of src needs a layer: add it to .dependency-cruiser.cjs and docs/architecture.md.',
    from: { path: '^src/', pathNot: `^src/(${FOLDERS.join('|')})/` },
    to: {},
  },
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
