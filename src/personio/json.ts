import { isSafeNumber, parse } from 'lossless-json';

/** An integer that a JavaScript number cannot hold, as in the ids of work schedules. */
const LARGE_INTEGER = /[:[,]\s*-?\d{16,}/;

/**
 * Parses JSON without rounding large ids: they become text. Fractions stay numbers, as JSON.parse reads them. The lossless parser is three times slower, so only pages that need it
 * pay for it.
 *
 * @throws SyntaxError, as JSON.parse does.
 */
export function parseJson(text: string): unknown {
  if (!LARGE_INTEGER.test(text)) return JSON.parse(text);
  return parse(text, undefined, (number) =>
    /^-?\d+$/.test(number) && !isSafeNumber(number) ? number : Number(number),
  );
}
