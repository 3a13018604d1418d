import { ServiceError, isGrpcServiceError } from '@temporalio/client';

/** Status codes of gRPC that somebody acts on (grpc.io, "Status codes and their use in gRPC"). */
export const GRPC_STATUS = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** Thrown where the Temporal server is not as we need it. The message is a sentence for the operator. */
export class TemporalSetupError extends Error {
  override readonly name: string = 'TemporalSetupError';
}

/** Returns the status code of a failed call; -1 for other errors. */
export function getGrpcCode(error: unknown): number {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause.code : -1;
}

/** Returns whether the server denied permission or lacks the service, as Temporal Cloud does. */
export function isRefusal(error: unknown): boolean {
  const code = getGrpcCode(error);
  return (
    code === GRPC_STATUS.PERMISSION_DENIED || code === GRPC_STATUS.UNIMPLEMENTED || code === GRPC_STATUS.UNAUTHENTICATED
  );
}

/** Returns a sentence for a call that Temporal did not answer or refused; null for other errors. */
export function describeServiceError(error: unknown): string | null {
  const code = getGrpcCode(error);
  if (code === -1) return null;
  const [name = `code ${code}`] = Object.entries(GRPC_STATUS).find(([, value]) => value === code) ?? [];
  if (isRefusal(error)) {
    return (
      `Temporal refused a call of this command (${name}). Check TEMPORAL_API_KEY or TEMPORAL_TLS_…, ` +
      'and that they may read and write in the namespace.'
    );
  }
  return `Temporal did not answer a call of this command (${name}). Check the server, then try again.`;
}
