/**
 * Failure types that Temporal shows and that `sync_runs.failure_type` stores. They are constants because the default
 * would be the class name, which a rename changes silently.
 */
export const FAILURE_TYPES = [
  /** Personio rejects the client id and secret. Someone must act; nothing is retried. */
  'PersonioCredentialsRejected',
  /** The credential is valid but may not read this endpoint. Someone must act; nothing is retried. */
  'PersonioPermissionMissing',
  /** Too many requests; carries the wait as Temporal's next retry delay. */
  'PersonioRateLimited',
  /** No response, or a 5xx: retried. */
  'PersonioUnavailable',
  /** A response that differs from what Personio documents; a retry does not help. */
  'PersonioMalformedAnswer',
  /** 404 or 410 on the path of a whole collection, on every source of the endpoint. */
  'PersonioEndpointRetired',
  /** The pages never added up to one consistent snapshot; the tables are unchanged. */
  'SnapshotIncomplete',
  /** The request cannot be carried out, such as a window that ends before it begins; nothing is retried. */
  'InvalidRequest',
  /** PostgreSQL is unreachable or closed the connection: retried. */
  'StoreUnavailable',
] as const;

export type FailureType = (typeof FAILURE_TYPES)[number];
