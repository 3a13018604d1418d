/**
 * The failure types that Temporal shows and that `sync_runs.failure_type` stores. Constants, since the default would be the
 * class name, which a rename changes silently.
 */
export const FAILURE_TYPES = [
  /** The client id and secret are not accepted. A person must act; nothing is retried. */
  'PersonioCredentialsRejected',
  /** The credential is good, but may not read this endpoint. A person must act; nothing is retried. */
  'PersonioPermissionMissing',
  /** Too many requests; carries the wait as Temporal's next retry delay. */
  'PersonioRateLimited',
  /** No answer, or a 5xx: try again. */
  'PersonioUnavailable',
  /** An answer that is not what Personio documents; a retry would not help. */
  'PersonioMalformedAnswer',
  /** 404 or 410 on the path of a whole collection, on every source of the endpoint. */
  'PersonioEndpointRetired',
  /** The pages never added up to one moment's whole truth; the tables are untouched. */
  'SnapshotIncomplete',
  /** PostgreSQL could not be reached or broke off: try again. */
  'StoreUnavailable',
] as const;

export type FailureType = (typeof FAILURE_TYPES)[number];
