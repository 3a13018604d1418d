import type { ParsedAcknowledgement } from '../contracts/internal/activities.js';

/** Limit of a note for operators: the contract says that longer ones are cut. */
const MAX_NOTE_CHARACTERS = 500;
/** PostgreSQL stores no zero character. */
const UNSTORABLE = /\0/g;

/**
 * Parses what a subscriber sent as its acknowledgement. It comes from other teams' code, so it may have any shape.
 * An unusable value becomes an acknowledgement of an unknown delivery, which is harmless.
 */
export function parseAcknowledgement(value: unknown): ParsedAcknowledgement {
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { deliveryId, outcome, note } = fields;
  const isUsable = typeof deliveryId === 'string' && (outcome === 'done' || outcome === 'failed');
  return {
    deliveryId: isUsable ? deliveryId.replaceAll(UNSTORABLE, '\uFFFD') : '',
    outcome: outcome === 'done' ? 'done' : 'failed',
    note: typeof note === 'string' ? note.slice(0, MAX_NOTE_CHARACTERS).replaceAll(UNSTORABLE, '\uFFFD') : null,
  };
}
