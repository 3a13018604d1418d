/**
 * What `standard` never stores, by Personio's key or universal id: gender, birth, nationality, pay, bank, tax, health, family, religion.
 * Whoever needs one of them names it in the policy.
 */
const SENSITIVE =
  /gender|pronoun|birth|(^|_)(age|dob)(_|$)|nationalit|citizen|ethnic|salary|wage|bonus|compensation|(^|_)pay|iban|(^|_)bic(_|$)|bank|account|tax|fiscal|social_security|insurance|health|sick|disab|medical|pregnan|maternity|family|marital|child|spouse|married|emergency|relig|church|denomination|union_member|passport|visa|national_id/i;

/** @returns whether the policy lets an attribute beside the typed columns be stored. Custom ones (`dynamic_…`) only by name. */
export function isStored(key: string, universalId: string | null, attributesToStore: readonly string[]): boolean {
  if (attributesToStore.includes(key)) return true;
  if (!attributesToStore.includes('standard') || key.startsWith('dynamic_')) return false;
  return !SENSITIVE.test(key) && !(universalId !== null && SENSITIVE.test(universalId));
}
