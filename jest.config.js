/**
 * The whole suite. Its servers are started once, and test files share them: each file has its own databases and task
 * queues.
 */
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

export default {
  ...base,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testTimeout: 120_000,
  // One more than the usual two cores, since many files wait for retries and deadlines.
  maxWorkers: 3,
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
};
export { base };
