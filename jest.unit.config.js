import { base } from './jest.config.js';

/** The tests that need no server: what `npm run check` runs before every commit. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/{unit,personio,architecture}/**/*.test.ts'],
};
