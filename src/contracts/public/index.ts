/** Types, zod schemas and names for subscribers of personio-sync. */
export { SIGNAL } from './names.js';
export { EVENT_CLASSES, EVENT_KINDS, acknowledgementSchema, lifecycleEventSchema } from './events.js';
export type { Acknowledgement, AttributeChange, EventClass, EventKind, LifecycleEvent } from './events.js';
