import { isTooMany } from './unreadable.js';

/** Judges the permissions of the API credential by what a complete read of the employees returned. */

export interface AttributeCoverage {
  /** Personio's key of the attribute. */
  readonly attribute: string;
  /** Number of records that had it. */
  readonly records: number;
  /** True if an earlier complete read had it. */
  readonly wasReadBefore: boolean;
}

export interface AttributeProfile {
  readonly records: number;
  readonly coverage: readonly AttributeCoverage[];
  /** Number of employees whose status is `inactive`. */
  readonly inactive: number;
  /** True if an earlier read had inactive employees. */
  readonly hadInactive: boolean;
  /** Number of records whose status is empty or unknown; absent ones do not count. */
  readonly unknownStatus: number;
  /** False if only the first pages were read. */
  readonly isComplete: boolean;
}

export type ProfileAlarmCode = 'attributes-withdrawn' | 'attributes-missing' | 'status-unknown' | 'inactive-hidden';

/** A missing permission that somebody has to grant in Personio. */
export interface ProfileAlarm {
  readonly code: ProfileAlarmCode;
  /** Personio's keys; empty if the alarm is not about attributes. */
  readonly attributes: readonly string[];
  readonly sentence: string;
  readonly action: string;
}

/** Attributes that the documented fields need, with their names in Personio's settings. */
export const NEEDED_ATTRIBUTES: Readonly<Record<string, string>> = {
  email: 'Email',
  first_name: 'First name',
  last_name: 'Last name',
  status: 'Status',
  position: 'Position',
  department: 'Department',
  office: 'Workplace (formerly Office)',
  supervisor: 'Supervisor',
  hire_date: 'Hire date',
  termination_date: 'Termination date',
};

const SETTINGS_PATH = 'Settings > Integrations > API credentials';
/** A company of at least this size has had leavers. */
const MIN_SIZE_WITH_LEAVERS = 100;

/** Finds the permissions to grant, the gravest first. */
export function findProfileAlarms(profile: AttributeProfile): readonly ProfileAlarm[] {
  if (profile.records === 0) return [];
  const absent = profile.coverage.filter(({ records }) => records === 0);
  const withdrawn = absent.filter(({ wasReadBefore }) => wasReadBefore).map(({ attribute }) => attribute);
  const missing = absent
    .filter(({ attribute, wasReadBefore }) => !wasReadBefore && attribute in NEEDED_ATTRIBUTES)
    .map(({ attribute }) => attribute);
  return [
    ...(withdrawn.length === 0 ? [] : [createWithdrawnAlarm(withdrawn, profile)]),
    ...(missing.length === 0 ? [] : [createMissingAlarm(missing, profile)]),
    ...(isTooMany(profile.unknownStatus, profile.records) ? [createStatusAlarm(profile)] : []),
    ...(isInactiveHidden(profile) ? [createInactiveAlarm(profile)] : []),
  ];
}

function createWithdrawnAlarm(attributes: readonly string[], { records }: AttributeProfile): ProfileAlarm {
  return {
    code: 'attributes-withdrawn',
    attributes,
    sentence:
      `Personio no longer returns ${formatAlternatives(attributes)} for any of the ${records} employees. ` +
      `The API credential has probably lost permission to read ${choosePronoun(attributes)}. ` +
      'Stored values are kept, and no events are emitted.',
    action: `In Personio, under ${SETTINGS_PATH}, allow the credential to read ${formatLabels(attributes)} again.`,
  };
}

function createMissingAlarm(attributes: readonly string[], { records }: AttributeProfile): ProfileAlarm {
  return {
    code: 'attributes-missing',
    attributes,
    sentence:
      `Personio returned no ${formatAlternatives(attributes)} for any of the ${records} employees. ` +
      `The API credential probably lacks permission to read ${choosePronoun(attributes)}.`,
    action:
      `In Personio, under ${SETTINGS_PATH}, add ${formatLabels(attributes)} ` +
      'to the employee attributes that the credential may read.',
  };
}

function createStatusAlarm({ unknownStatus, records }: AttributeProfile): ProfileAlarm {
  return {
    code: 'status-unknown',
    attributes: ['status'],
    sentence:
      `Of ${records} employees, ${unknownStatus} have an empty or unknown status. ` +
      'Their last status stands, so nobody among them can become a leaver by status.',
    action:
      `In Personio, check these employees' status, and under ${SETTINGS_PATH} that the credential may read "Status". ` +
      'If Personio has a new status, report it.',
  };
}

/** Says nothing if the status itself is missing from every record. */
function isInactiveHidden({ records, coverage, inactive, hadInactive }: AttributeProfile): boolean {
  const hasStatus = coverage.some(({ attribute, records: seen }) => attribute === 'status' && seen > 0);
  return hasStatus && inactive === 0 && (hadInactive || records >= MIN_SIZE_WITH_LEAVERS);
}

function createInactiveAlarm({ records, hadInactive, isComplete }: AttributeProfile): ProfileAlarm {
  const seen = `None of the ${isComplete ? '' : 'first '}${records} employees is inactive`;
  const why = hadInactive ? 'earlier reads had some' : 'a company of this size has usually had leavers';
  return {
    code: 'inactive-hidden',
    attributes: [],
    sentence:
      `${seen}, although ${why}. The API credential probably sees active employees only, ` +
      'so a leaver would go missing instead of becoming inactive.',
    action: `In Personio, under ${SETTINGS_PATH}, let the credential read inactive employees too.`,
  };
}

/** Formats `a, b or c`. */
function formatAlternatives(attributes: readonly string[]): string {
  const [last = '', ...rest] = [...attributes].reverse();
  return rest.length === 0 ? last : `${rest.reverse().join(', ')} or ${last}`;
}

const choosePronoun = (attributes: readonly string[]): string => (attributes.length === 1 ? 'it' : 'them');
const formatLabels = (attributes: readonly string[]): string =>
  attributes.map((attribute) => `"${NEEDED_ATTRIBUTES[attribute] ?? attribute}"`).join(', ');
