/**
 * Attributes that `standard` never stores, by Personio's key or universal id: gender, birth, nationality, pay, bank,
 * tax, health, family, religion, private addresses. The policy can list them by name. Includes German words, since
 * companies name their own fields.
 */
const SENSITIVE = new RegExp(
  [
    'gender|pronoun|birth|geburt|(^|_)(age|dob|sex|sexual_orientation)(_|$)|nationalit|citizen|ethnic|(^|_)race(_|$)',
    'salary|wage|bonus|compensation|remunerat|commission|allowance|income|earning|equity|stock_option',
    'hourly|(^|_)pay|gehalt|lohn|pension|garnish',
    'iban|(^|_)bic(_|$)|swift|bank|account|tax|steuer|fiscal',
    'social_security|sozialversicherung|(^|_)(ssn|svnr)(_|$)|insurance|krankenkasse',
    'health|sick|disab|handicap|medical|vaccin|blood|pregnan|maternity|parental',
    'family|marital|child|spouse|married|emergency|(^|_)kin(_|$)|kita',
    'relig|church|kirche|denomination|confession|konfession|union_member|passport|visa|national_id',
    '(^|_)(private|personal|home)_',
  ].join('|'),
  'i',
);

/** Returns whether the policy allows storing an attribute without a column. Custom ones (`dynamic_…`) only by name. */
export function isStored(key: string, universalId: string | null, attributesToStore: readonly string[]): boolean {
  if (attributesToStore.includes(key)) return true;
  if (!attributesToStore.includes('standard') || key.startsWith('dynamic_')) return false;
  return !SENSITIVE.test(key) && !(universalId !== null && SENSITIVE.test(universalId));
}
