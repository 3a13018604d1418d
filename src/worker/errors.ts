/** Thrown when part of a worker cannot start. The message is a sentence for the operator. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
}
