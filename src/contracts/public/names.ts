/** Signals between personio-sync and subscribing workflows. The version is part of the name: a changed shape is a new signal. */
export const SIGNAL = {
  /** Sent to a subscriber, with a `LifecycleEvent` as its one argument. */
  lifecycle: 'personio.lifecycle.v1',
  /** Sent back to the workflow that an event's `acknowledge` names, with an `Acknowledgement` as its one argument. */
  acknowledge: 'acknowledge',
} as const;
