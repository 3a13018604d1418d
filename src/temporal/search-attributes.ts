import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTE } from '../contracts/internal/names.js';
import { GRPC_STATUS, TemporalSetupError, getGrpcCode, isRefusal } from './errors.js';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API (temporal/api/enums/v1/common.proto). */
const KEYWORD = 2;
const NAMES: readonly string[] = Object.values(SEARCH_ATTRIBUTE);
/** Of registrations that another process was faster with. */
const MAX_TRIES = 20;
const RETRY_MS = 250;

export interface SearchAttributesRegistration {
  readonly registered: readonly string[];
  /** Remedy if the server does not allow registration over this connection; null if nothing is left to do. */
  readonly remedy: string | null;
}

/**
 * Registers the four search attributes in a namespace. Safe to repeat, and to run from many places at once.
 *
 * @throws TemporalSetupError where one exists with another type, or the namespace has none free.
 */
export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<SearchAttributesRegistration> {
  for (let tries = 1; ; tries++) {
    const missing = await findMissingSearchAttributes(connection, namespace);
    if (missing.length === 0) return { registered: [], remedy: null };
    try {
      // In one call, so that none is registered where there is no room for all.
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      return { registered: missing, remedy: null };
    } catch (error) {
      if (isRefusal(error)) return { registered: [], remedy: formatRemedy(namespace, missing) };
      const code = getGrpcCode(error);
      if (code === GRPC_STATUS.INVALID_ARGUMENT || code === GRPC_STATUS.RESOURCE_EXHAUSTED)
        throw createNoRoomError(namespace, missing);
      if (code !== GRPC_STATUS.ALREADY_EXISTS || tries >= MAX_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function createNoRoomError(namespace: string, missing: readonly string[]): TemporalSetupError {
  return new TemporalSetupError(
    `The namespace ${namespace} has no room for the search attributes ${missing.join(', ')} of the type Keyword. ` +
      'Remove some that nobody needs (`temporal operator search-attribute list` and `remove`), ' +
      'or set TEMPORAL_NAMESPACE to a namespace of its own. Nothing was changed.',
  );
}

/**
 * Returns the names that the namespace does not know yet.
 *
 * @throws TemporalSetupError where a name is taken with another type.
 */
export async function findMissingSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<readonly string[]> {
  const types = await listTypes(connection, namespace);
  if (types === null) return findUnusable(connection, namespace);
  const taken = NAMES.filter((name) => types[name] !== undefined && types[name] !== KEYWORD);
  if (taken.length > 0) {
    const names = taken.map((name) => `--name ${name}`).join(' ');
    throw new TemporalSetupError(
      `The namespace ${namespace} has the search attributes ${taken.join(', ')} with another type than Keyword. ` +
        `If nobody needs them, run \`temporal operator search-attribute remove --namespace ${namespace} ${names}\`, ` +
        'then `personio-sync migrate`; else set TEMPORAL_NAMESPACE to a namespace of its own. Nothing was changed.',
    );
  }
  return NAMES.filter((name) => types[name] === undefined);
}

/** Returns the types by name; null where the server does not let us list them. */
async function listTypes(connection: Connection, namespace: string): Promise<Readonly<Record<string, number>> | null> {
  try {
    return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

/** Returns the names by which the server cannot search for a keyword: they are missing, or have another type. */
async function findUnusable(connection: Connection, namespace: string): Promise<readonly string[]> {
  const unusable: string[] = [];
  for (const name of NAMES) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query: `${name} = 'none'` });
    } catch (error) {
      if (getGrpcCode(error) !== GRPC_STATUS.INVALID_ARGUMENT) throw error;
      unusable.push(name);
    }
  }
  return unusable;
}

/** Returns the sentence that says how to register them manually. */
export function formatRemedy(namespace: string, missing: readonly string[]): string {
  const names = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  const cloud = missing.map((name) => `--search-attribute "${name}=Keyword"`).join(' ');
  return (
    `\`temporal operator search-attribute create --namespace ${namespace} ${names}\`, ` +
    `on Temporal Cloud \`tcld namespace search-attributes add --namespace ${namespace} ${cloud}\`.`
  );
}
