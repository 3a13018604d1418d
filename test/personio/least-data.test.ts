import { describe, expect, test } from '@jest/globals';
import { isStored } from '../../src/domain/stored-attributes.js';
import { createEmployeeRecordSchema } from '../../src/personio/v1/employees.js';

describe('data minimisation', () => {
  test.each([
    'fix_salary',
    'fix_salary_interval',
    'hourly_salary',
    'bonus',
    'iban',
    'bank_name',
    'tax_id',
    'steuer_id',
    'social_security_number',
    'health_insurance',
    'krankenkasse',
    'gender',
    'birthday',
    'date_of_birth',
    'nationality',
    'religion',
    'church_tax',
    'konfession',
    'marital_status',
    'number_of_children',
    'emergency_contact',
    'private_email',
    'personal_phone',
    'home_address',
  ])('%s is stored only when the policy lists it', (key) => {
    expect(isStored(key, null, ['standard'])).toBe(false);
    expect(isStored(key, null, ['standard', key])).toBe(true);
  });

  test.each([
    'probation_period_end',
    'vacation_day_balance',
    'holiday_calendar',
    'work_schedule',
    'last_modified_at',
    'created_at',
    'absence_entitlement',
  ])('%s is stored by default', (key) => expect(isStored(key, null, ['standard'])).toBe(true));

  test('a custom attribute needs its name, and a sensitive universal id excludes any key', () => {
    expect(isStored('dynamic_7', null, ['standard'])).toBe(false);
    expect(isStored('dynamic_7', null, ['dynamic_7'])).toBe(true);
    expect(isStored('own_key', 'date_of_birth', ['standard'])).toBe(false);
  });

  test('an employee inside an attribute is reduced to the id', () => {
    const nested = {
      type: 'Employee',
      attributes: { id: { value: 12 }, first_name: { value: 'Ada' }, email: { value: 'ada@example.org' } },
    };
    const record = createEmployeeRecordSchema(['standard']).parse({
      attributes: {
        id: { value: 7 },
        mentor: { label: 'Mentor', value: nested, type: 'standard', universal_id: null },
      },
    });
    expect(record.attributes).toEqual({ mentor: { type: 'Employee', id: '12' } });
  });
});
