import { isSafeNumber, parse } from 'lossless-json';
import { toStatusError, createNotJsonError, createUnsuccessfulError } from './errors.js';
import type { Route } from './errors.js';
import type { HttpResponse } from './http.js';

/** Integer too large for a JavaScript number, as in ids of work schedules, with the character in front of it. */
const LARGE_INTEGER = /([:[,]\s*)(-?\d{16,})(?=\s*[,\]}])/g;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Parses JSON without rounding large ids: they become strings. Fractions remain numbers, as with JSON.parse.
 *
 * Quotes the large integers first, then uses JSON.parse. If one of them was inside a string, the quotes break that
 * string and JSON.parse fails; a slower parser that visits each number then takes over.
 *
 * @throws SyntaxError as JSON.parse does.
 */
function parseJson(text: string): unknown {
  const json = text.replace(BYTE_ORDER_MARK, '');
  const quoted = json.replace(LARGE_INTEGER, (whole, before: string, digits: string) =>
    isSafeNumber(digits) ? whole : `${before}"${digits}"`,
  );
  try {
    return JSON.parse(quoted);
  } catch (error) {
    if (quoted === json) throw error;
    return parse(json, undefined, (number) =>
      /^-?\d+$/.test(number) && !isSafeNumber(number) ? number : Number(number),
    );
  }
}

/**
 * Returns the parsed body of a successful response. Ignores its content type, which Personio does not always set right.
 *
 * @throws PersonioError for any other status, for `success: false`, and when the body is not JSON.
 */
export function parseContent(route: Route, response: HttpResponse): unknown {
  if (response.status < 200 || response.status > 299)
    throw toStatusError(route, response.status, response.retryAfterMs);
  const content = parseText(route, response.text);
  if (typeof content === 'object' && content !== null && 'success' in content && content.success === false)
    throw createUnsuccessfulError(route, response.status);
  return content;
}

function parseText(route: Route, text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw createNotJsonError(route, text);
  }
}
