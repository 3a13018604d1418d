import { isSafeNumber, parse } from 'lossless-json';
import { toStatusError, createMalformedError, createUnsuccessfulError } from './errors.js';
import type { Route } from './errors.js';
import type { HttpResponse } from './http.js';

/** An integer that a JavaScript number may not hold, as in the ids of work schedules, with what stands before it. */
const LARGE_INTEGER = /([:[,]\s*)(-?\d{16,})(?=\s*[,\]}])/g;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Parses JSON without rounding large ids: they become text. Fractions stay numbers, as JSON.parse reads them. The large ones are put in quotes
 * beforehand: where one of them stood inside a text, the quotes break that text in two, which no parser accepts, and a slower parser that
 * takes the numbers one by one has its turn.
 *
 * @throws SyntaxError, as JSON.parse does.
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

/** @returns the parsed content of an answer of success, whatever type its header claims. @throws PersonioError for every other. */
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
    throw createMalformedError(route, 'it is no JSON');
  }
}
