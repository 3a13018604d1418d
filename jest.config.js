const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  setupFiles: ['<rootDir>/test/support/errors-of-node.js'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/src/contracts/dist/'],
};

/** The whole suite. `npm run check` runs the project `unit` alone. */
export default {
  // One more than the usual two cores, since many files wait for retries and deadlines.
  maxWorkers: 3,
  // Of a unit test, on a busy machine. Tests with servers have a limit of their own.
  testTimeout: 30_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/{unit,personio,architecture}/**/*.test.ts'],
    },
    {
      // The servers are started once, and test files share them: each file has its own databases and task queues.
      ...base,
      displayName: 'servers',
      testMatch: ['<rootDir>/test/{store,activities,workflows,e2e}/**/*.test.ts'],
      setupFilesAfterEnv: ['<rootDir>/test/support/server-timeout.js'],
      globalSetup: '<rootDir>/test/support/global-setup.js',
      globalTeardown: '<rootDir>/test/support/global-teardown.js',
    },
  ],
};
