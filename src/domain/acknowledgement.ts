/** An answer as it is stored. */
export interface ParsedAcknowledgement {
  readonly deliveryId: string;
  readonly outcome: 'done' | 'failed';
  readonly note: string | null;
}

/** A person's notes are for people: long ones are cut, as the contract says. */
const NOTE_CHARACTERS = 500;
/** PostgreSQL stores no zero character. */
const UNSTORABLE = /\0/g;

/** Answers come from other teams' code, so their shape is not taken on trust; an unusable one becomes an unknown one, which is harmless. */
export function parseAcknowledgement(value: unknown): ParsedAcknowledgement {
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { deliveryId, outcome, note } = fields;
  const isUsable = typeof deliveryId === 'string' && (outcome === 'done' || outcome === 'failed');
  return {
    deliveryId: isUsable ? deliveryId.replaceAll(UNSTORABLE, '\uFFFD') : '',
    outcome: outcome === 'done' ? 'done' : 'failed',
    note: typeof note === 'string' ? note.slice(0, NOTE_CHARACTERS).replaceAll(UNSTORABLE, '\uFFFD') : null,
  };
}
