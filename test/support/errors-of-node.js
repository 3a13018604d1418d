/**
 * jest runs tests in a context with an `Error` of its own, so what Node's core throws there is no `Error` (jest issue 2549), and code that
 * asks would behave otherwise than in production.
 */
import { types } from 'node:util';

Object.defineProperty(Error, Symbol.hasInstance, {
  value(candidate) {
    if (this === Error && types.isNativeError(candidate)) return true;
    return Function.prototype[Symbol.hasInstance].call(this, candidate);
  },
});
