import { isSafeNumber, parse } from 'lossless-json';
import { errorOfStatus, malformed, unsuccessful } from './errors.js';
import type { Route } from './errors.js';
import type { HttpAnswer } from './http.js';

/** An integer that a JavaScript number cannot hold, as in the ids of work schedules. */
const LARGE_INTEGER = /[:[,]\s*-?\d{16,}/;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Parses JSON without rounding large ids: they become text. Fractions stay numbers, as JSON.parse reads them. The lossless parser is three times slower, so only pages that need it
 * pay for it.
 *
 * @throws SyntaxError, as JSON.parse does.
 */
function parseJson(text: string): unknown {
  const json = text.replace(BYTE_ORDER_MARK, '');
  if (!LARGE_INTEGER.test(json)) return JSON.parse(json);
  return parse(json, undefined, (number) =>
    /^-?\d+$/.test(number) && !isSafeNumber(number) ? number : Number(number),
  );
}

/** @returns the parsed content of an answer of success, whatever type its header claims. @throws PersonioError for every other. */
export function contentOf(route: Route, answer: HttpAnswer): unknown {
  if (answer.status < 200 || answer.status > 299) throw errorOfStatus(route, answer.status, answer.retryAfterMs);
  const content = parsed(route, answer.text);
  if (typeof content === 'object' && content !== null && 'success' in content && content.success === false)
    throw unsuccessful(route, answer.status);
  return content;
}

function parsed(route: Route, text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw malformed(route, 'it is no JSON');
  }
}
