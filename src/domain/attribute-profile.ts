/** What a complete read of the employees says about the permissions of the API credential. Pure. */

export interface AttributeCoverage {
  /** Personio's key. */
  readonly attribute: string;
  /** On how many records it came. */
  readonly records: number;
  /** Whether an earlier complete read had it. */
  readonly cameBefore: boolean;
}

export interface AttributeProfile {
  readonly records: number;
  readonly coverage: readonly AttributeCoverage[];
  /** People whose status is `inactive`. */
  readonly inactive: number;
  /** Whether an earlier read had some. */
  readonly hadInactive: boolean;
  /** False where only a part of the company was looked at. */
  readonly isComplete: boolean;
}

export type ProfileAlarmCode = 'attributes-withdrawn' | 'attributes-missing' | 'inactive-hidden';

/** Something that a person has to mend in Personio. */
export interface ProfileAlarm {
  readonly code: ProfileAlarmCode;
  /** Personio's keys; empty where it is not about attributes. */
  readonly attributes: readonly string[];
  readonly sentence: string;
  readonly action: string;
}

/** What the fields of the users' guides are filled from, as Personio's settings call it. */
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
/** A company of this size has had somebody leave. */
const SIZE_WITH_LEAVERS = 100;

/** @returns what somebody should mend, gravest first. */
export function findProfileAlarms(profile: AttributeProfile): readonly ProfileAlarm[] {
  if (profile.records === 0) return [];
  const absent = profile.coverage.filter(({ records }) => records === 0);
  const withdrawn = absent.filter(({ cameBefore }) => cameBefore).map(({ attribute }) => attribute);
  const missing = absent
    .filter(({ attribute, cameBefore }) => !cameBefore && attribute in NEEDED_ATTRIBUTES)
    .map(({ attribute }) => attribute);
  return [
    ...(withdrawn.length === 0 ? [] : [createWithdrawnAlarm(withdrawn, profile)]),
    ...(missing.length === 0 ? [] : [createMissingAlarm(missing, profile)]),
    ...(isInactiveHidden(profile) ? [createInactiveAlarm(profile)] : []),
  ];
}

function createWithdrawnAlarm(attributes: readonly string[], { records }: AttributeProfile): ProfileAlarm {
  return {
    code: 'attributes-withdrawn',
    attributes,
    sentence: `${formatList(attributes)} came with earlier reads and with none of the ${records} employees now: the API credential may no longer read ${choosePronoun(attributes)}. Each keeps its last value, and no event is made of it.`,
    action: `In Personio, under ${SETTINGS_PATH}, allow the credential to read ${formatLabels(attributes)} again.`,
  };
}

function createMissingAlarm(attributes: readonly string[], { records }: AttributeProfile): ProfileAlarm {
  return {
    code: 'attributes-missing',
    attributes,
    sentence: `None of the ${records} employees came with ${formatList(attributes)}: the API credential may not read ${choosePronoun(attributes)}.`,
    action: `In Personio, under ${SETTINGS_PATH}, add ${formatLabels(attributes)} to the employee attributes that the credential may read.`,
  };
}

/** Where the status itself does not come, nothing can be said. */
function isInactiveHidden({ records, coverage: coverage, inactive, hadInactive }: AttributeProfile): boolean {
  const hasStatus = coverage.some(({ attribute, records: seen }) => attribute === 'status' && seen > 0);
  return hasStatus && inactive === 0 && (hadInactive || records >= SIZE_WITH_LEAVERS);
}

function createInactiveAlarm({ records, hadInactive, isComplete: isComplete }: AttributeProfile): ProfileAlarm {
  const seen = `None of the ${isComplete ? '' : 'first '}${records} employees is inactive`;
  const why = hadInactive ? ', and earlier reads had some' : ', and a company of this size has had somebody leave';
  return {
    code: 'inactive-hidden',
    attributes: [],
    sentence: `${seen}${why}: the API credential seems to see active people only. A leaver would then go missing instead of becoming inactive.`,
    action: `In Personio, under ${SETTINGS_PATH}, let the credential read inactive employees too.`,
  };
}

const formatList = (attributes: readonly string[]): string => attributes.join(', ');
const choosePronoun = (attributes: readonly string[]): string => (attributes.length === 1 ? 'it' : 'them');
const formatLabels = (attributes: readonly string[]): string =>
  attributes.map((attribute) => `"${NEEDED_ATTRIBUTES[attribute] ?? attribute}"`).join(', ');
