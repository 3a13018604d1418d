/**
 * Makes `instanceof Error` work as in production. jest runs tests in a context with its own `Error`, so errors from
 * Node's core are not instances of it (jest issue 2549).
 */
import { types } from 'node:util';

Object.defineProperty(Error, Symbol.hasInstance, {
  value(candidate) {
    if (this === Error && types.isNativeError(candidate)) return true;
    return Function.prototype[Symbol.hasInstance].call(this, candidate);
  },
});
