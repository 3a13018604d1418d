import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PersonioError } from '../../src/personio/errors.js';
import { derivedDepartmentSchema, createEmployeeRecordSchema } from '../../src/personio/v1/employees.js';
import { parseList, parseOne } from '../../src/personio/v1/envelope.js';
import { toCopyRow } from '../../src/store/copy-text.js';
import { toColumnValues } from '../../src/store/employees/columns.js';
import { findKeyId } from '../../src/crypto/sealing.js';

const ROUTE = { method: 'GET', template: '/v1/company/employees' } as const;
const MARK = 'QZMARKED';
const schema = createEmployeeRecordSchema(['standard']);

const KEYS = [
  'id',
  'email',
  'first_name',
  'status',
  'department',
  'supervisor',
  'hire_date',
  'cost_centers',
  'fix_salary',
  'dynamic_1',
];
/** Values of an attribute: valid, almost valid, hostile, large. */
const inner = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    `${MARK}\u0000\u001b[31m`,
    `'; drop table personio.employees; -- ${MARK}`,
    `<script>${MARK}</script>`,
    `\\N\t${MARK}\n`,
  ),
  fc.string({ unit: 'binary' }).map((text) => `${text}${MARK}`),
  fc.constant({ type: 'Department', attributes: { id: 1, name: MARK } }),
);
const attribute = fc.oneof(
  fc.record({ label: fc.string(), value: inner, universal_id: fc.oneof(fc.string(), fc.constant(null)) }),
  inner,
);
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }).map((some) => ({ value: `${some}${MARK}` })),
  fc
    .constantFrom(null, '', `${MARK}\u0000\u001b[31m`, `'; drop table x; -- ${MARK}`, '\\N\t\n')
    .map((value) => ({ value })),
);
/** Employees that pass the schema, with hostile texts. */
const plausible = fc.record(
  {
    id: fc.nat().map((value) => ({ value })),
    email: hostile,
    first_name: hostile,
    position: hostile,
    fix_salary: hostile,
    dynamic_1: hostile,
    gadget: attribute,
  },
  { requiredKeys: ['id'] },
);
const employee = fc.record({
  type: fc.constant('Employee'),
  attributes: fc.oneof(
    { weight: 6, arbitrary: plausible },
    fc.dictionary(fc.constantFrom(...KEYS), attribute),
    fc.dictionary(fc.constantFrom(...KEYS.slice(1)), attribute).map((some) => ({ ...some, id: { value: 7 } })),
  ),
});
const body = fc.oneof(
  { weight: 3, arbitrary: fc.record({ data: fc.array(employee, { maxLength: 3 }), metadata: fc.constant(null) }) },
  fc.record({
    success: fc.boolean(),
    data: fc.array(employee, { maxLength: 3 }),
    metadata: fc.oneof(fc.jsonValue(), fc.record({ total_elements: inner })),
  }),
  fc.jsonValue(),
);
const text = fc.oneof(
  { weight: 3, arbitrary: body.map((json) => JSON.stringify(json)) },
  body.map((json) => JSON.stringify(json)),
  fc.string({ unit: 'binary' }).map((some) => `${some}${MARK}`),
  body.map((json) => JSON.stringify(json).slice(0, -1)),
);

function parse(of: string): readonly ReturnType<typeof toColumnValues>[] {
  const response = { status: 200, text: of, retryAfterMs: null, notices: [], refillMs: null };
  try {
    const { records } = parseList(ROUTE, response, { schema });
    parseList(ROUTE, response, { schema: derivedDepartmentSchema });
    return records.map(toColumnValues);
  } catch (error) {
    if (!(error instanceof PersonioError)) throw error;
    expect(`${error.message}${error.stack ?? ''}`.includes(MARK)).toBe(false);
    return [];
  }
}

describe('fuzzing', () => {
  test('4,000 responses become storable records, or an error without their content', () => {
    let stored = 0;
    fc.assert(
      fc.property(text, (of) => {
        for (const values of parse(of)) {
          stored += 1;
          const line = toCopyRow(values);
          // One line with as many fields as columns, whatever they contain.
          expect([line.split('\n').length, line.split('\t').length]).toEqual([2, values.length]);
          expect(line.includes('\u0000')).toBe(false);
          expect(JSON.stringify(values).includes('fix_salary')).toBe(false);
        }
      }),
      { seed: 20_261_127, numRuns: 4_000 },
    );
    // Otherwise a generator without any valid record would pass.
    expect(stored).toBeGreaterThan(300);
  }, 60_000);

  test('1,000 responses with one employee become a record or an error without content', () => {
    fc.assert(
      fc.property(text, (of) => {
        try {
          parseOne(ROUTE, { status: 200, text: of, retryAfterMs: null, notices: [], refillMs: null }, { schema });
        } catch (error) {
          if (!(error instanceof PersonioError)) throw error;
          expect(error.message.includes(MARK)).toBe(false);
        }
      }),
      { seed: 20_261_128, numRuns: 1_000 },
    );
  }, 60_000);

  test('a name of 10 MB is one field of one line', () => {
    const name = `${MARK}\t\n\\.\u0000`.repeat(700_000);
    const record = { data: [{ attributes: { id: { value: 1 }, first_name: { value: name } } }] };
    const [values = []] = parse(JSON.stringify(record));
    const line = toCopyRow(values);
    expect(line.length).toBeGreaterThan(10_000_000);
    expect([line.split('\n').length, line.split('\t').length]).toEqual([2, values.length]);
  });

  test('2,000 sealed texts give a key id or null', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (of) => {
        expect(['string', 'object']).toContain(typeof findKeyId(of));
      }),
      { seed: 20_261_129, numRuns: 2_000 },
    );
  }, 60_000);
});
