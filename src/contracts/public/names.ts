/**
 * Names of the signals between personio-sync and subscribing workflows. The version is part of a name: a changed
 * shape gets a new one, and both are sent for one release.
 */
export const SIGNAL = {
  /** Sent to a subscriber, with a `LifecycleEvent` as its only argument. */
  lifecycle: 'personio.lifecycle.v1',
  /** Sent back to the workflow in the event's `acknowledge`, with an `Acknowledgement` as its only argument. */
  acknowledge: 'acknowledge',
} as const;
