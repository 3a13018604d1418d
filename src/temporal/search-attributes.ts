import { isGrpcServiceError } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTE } from '../contracts/internal/names.js';

/** Status codes of gRPC (grpc.io, "Status codes and their use in gRPC"). */
const grpcStatus = { ALREADY_EXISTS: 6, PERMISSION_DENIED: 7, UNIMPLEMENTED: 12, UNAUTHENTICATED: 16 } as const;

function getGrpcCode(error: unknown): number {
  return isGrpcServiceError(error) ? error.code : -1;
}

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API (temporal/api/enums/v1/common.proto). */
const KEYWORD = 2;

export interface SearchAttributesRegistration {
  readonly registered: readonly string[];
  /**
   * The command to run if the server does not allow registration over this connection; null if nothing is left to do.
   */
  readonly remedy: string | null;
}

/** Registers the four search attributes in a namespace. Safe to repeat, and to run from many places at once. */
export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<SearchAttributesRegistration> {
  const registered: string[] = [];
  try {
    for (const name of await findMissingSearchAttributes(connection, namespace)) {
      await register(connection, namespace, name);
      registered.push(name);
    }
    return { registered, remedy: null };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { registered, remedy: formatRemedy(namespace) };
  }
}

async function register(connection: Connection, namespace: string, name: string): Promise<void> {
  try {
    // The enum is in a package that is not a dependency of ours.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- see above
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: { [name]: KEYWORD } });
  } catch (error) {
    if (getGrpcCode(error) === grpcStatus.ALREADY_EXISTS) return;
    throw error;
  }
}

/** Returns the names that the namespace does not know yet. */
export async function findMissingSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<readonly string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.values(SEARCH_ATTRIBUTE).filter((name) => customAttributes[name] === undefined);
}

/** Returns whether the server denied permission or lacks the service, as Temporal Cloud does. */
function isRefusal(error: unknown): boolean {
  const refusals: readonly number[] = [
    grpcStatus.PERMISSION_DENIED,
    grpcStatus.UNIMPLEMENTED,
    grpcStatus.UNAUTHENTICATED,
  ];
  return refusals.includes(getGrpcCode(error));
}

/** Returns the command that registers them manually. */
export function formatRemedy(namespace: string): string {
  const names = Object.values(SEARCH_ATTRIBUTE).map((name) => `--name ${name} --type Keyword`);
  return `temporal operator search-attribute create --namespace ${namespace} ${names.join(' ')}`;
}
