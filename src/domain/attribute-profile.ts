/** What a complete read of the employees says about the permissions of the API credential. Pure. */

export interface AttributeSighting {
  /** Personio's key. */
  readonly attribute: string;
  /** On how many records it came. */
  readonly records: number;
  /** Whether an earlier complete read had it. */
  readonly cameBefore: boolean;
}

export interface ProfileFacts {
  readonly records: number;
  readonly sightings: readonly AttributeSighting[];
  /** People whose status is `inactive`. */
  readonly inactive: number;
  /** Whether an earlier read had some. */
  readonly hadInactive: boolean;
  /** False where only a part of the company was looked at. */
  readonly isWhole: boolean;
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

const PLACE = 'Settings > Integrations > API credentials';
/** A company of this size has had somebody leave. */
const SIZE_WITH_LEAVERS = 100;

/** @returns what somebody should mend, gravest first. */
export function profileAlarms(facts: ProfileFacts): readonly ProfileAlarm[] {
  if (facts.records === 0) return [];
  const absent = facts.sightings.filter(({ records }) => records === 0);
  const withdrawn = absent.filter(({ cameBefore }) => cameBefore).map(({ attribute }) => attribute);
  const missing = absent
    .filter(({ attribute, cameBefore }) => !cameBefore && attribute in NEEDED_ATTRIBUTES)
    .map(({ attribute }) => attribute);
  return [
    ...(withdrawn.length === 0 ? [] : [withdrawnAlarm(withdrawn, facts)]),
    ...(missing.length === 0 ? [] : [missingAlarm(missing, facts)]),
    ...(isHidingInactive(facts) ? [inactiveAlarm(facts)] : []),
  ];
}

function withdrawnAlarm(attributes: readonly string[], { records }: ProfileFacts): ProfileAlarm {
  return {
    ...{ code: 'attributes-withdrawn', attributes },
    sentence: `${listed(attributes)} came with earlier reads and with none of the ${records} employees now: the API credential may no longer read ${itOrThem(attributes)}. Each keeps its last value, and no event is made of it.`,
    action: `In Personio, under ${PLACE}, allow the credential to read ${labels(attributes)} again.`,
  };
}

function missingAlarm(attributes: readonly string[], { records }: ProfileFacts): ProfileAlarm {
  return {
    ...{ code: 'attributes-missing', attributes },
    sentence: `None of the ${records} employees came with ${listed(attributes)}: the API credential may not read ${itOrThem(attributes)}.`,
    action: `In Personio, under ${PLACE}, add ${labels(attributes)} to the employee attributes that the credential may read.`,
  };
}

/** Where the status itself does not come, nothing can be said. */
function isHidingInactive({ records, sightings, inactive, hadInactive }: ProfileFacts): boolean {
  const hasStatus = sightings.some(({ attribute, records: seen }) => attribute === 'status' && seen > 0);
  return hasStatus && inactive === 0 && (hadInactive || records >= SIZE_WITH_LEAVERS);
}

function inactiveAlarm({ records, hadInactive, isWhole }: ProfileFacts): ProfileAlarm {
  const seen = `None of the ${isWhole ? '' : 'first '}${records} employees is inactive`;
  const why = hadInactive ? ', and earlier reads had some' : ', and a company of this size has had somebody leave';
  return {
    ...{ code: 'inactive-hidden', attributes: [] },
    sentence: `${seen}${why}: the API credential seems to see active people only. A leaver would then go missing instead of becoming inactive.`,
    action: `In Personio, under ${PLACE}, let the credential read inactive employees too.`,
  };
}

const listed = (attributes: readonly string[]): string => attributes.join(', ');
const itOrThem = (attributes: readonly string[]): string => (attributes.length === 1 ? 'it' : 'them');
const labels = (attributes: readonly string[]): string =>
  attributes.map((attribute) => `"${NEEDED_ATTRIBUTES[attribute] ?? attribute}"`).join(', ');
