export { SIGNAL } from './names.js';
export { EVENT_CLASSES, EVENT_KINDS, acknowledgementSchema, lifecycleEventSchema } from './events.js';
export type { Acknowledgement, AttributeChange, EventClass, EventKind, LifecycleEvent } from './events.js';
