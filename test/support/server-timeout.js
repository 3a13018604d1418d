/** Limit of a test that uses servers. jest takes `testTimeout` for all projects together only. */
import { jest } from '@jest/globals';

jest.setTimeout(120_000);
