import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { LineCounter, isMap, isNode, isScalar, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import type { Policy } from '../domain/policy.js';
import { policySchema } from './policy-schema.js';
import { checkReferences, toPolicy } from './policy-mapping.js';

export interface LoadedPolicy {
  readonly policy: Policy | null;
  readonly faults: readonly string[];
}

const DEFAULT_FILE = 'personio-sync.yaml';

/**
 * Reads the policy file: the named one, or `personio-sync.yaml` in the folder if it exists.
 *
 * @param named path relative to the folder, or absolute; null for the default file.
 * @returns the policy with its defaults, or every fault with its key and line.
 */
export function loadPolicy(folder: string, named: string | null): LoadedPolicy {
  const path = isAbsolute(named ?? DEFAULT_FILE) ? (named ?? DEFAULT_FILE) : join(folder, named ?? DEFAULT_FILE);
  if (named === null && !existsSync(path)) return parsePolicy('');
  try {
    return parsePolicy(readFileSync(path, 'utf8'));
  } catch {
    const fault =
      named === null
        ? `${DEFAULT_FILE} cannot be read; check that it is a file and its permissions.`
        : 'PERSONIO_SYNC_CONFIG names a file that cannot be read.';
    return { policy: null, faults: [fault] };
  }
}

/** Parses the text of a policy file: YAML, where an empty text means all defaults. */
export function parsePolicy(text: string): LoadedPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map(
    (error) => `Policy file, line ${lines.linePos(error.pos[0]).line}: not valid YAML (${error.code}).`,
  );
  if (syntax.length > 0) return { policy: null, faults: syntax };
  const content = toContent(document);
  if (content === undefined)
    return { policy: null, faults: ['Policy file: its aliases are undefined or expand too far.'] };
  const parsed = policySchema.safeParse(content);
  const locate = (path: readonly PropertyKey[]): string => formatLocation(document, lines, path);
  const faults = [
    ...(parsed.error?.issues.flatMap((issue) => describeIssue(issue, locate)) ?? []),
    ...checkReferences(content).map(({ path, fault }) => `${locate(path)} ${fault}.`),
  ];
  return parsed.success && faults.length === 0
    ? { policy: toPolicy(parsed.data), faults: [] }
    : { policy: null, faults };
}

/** Returns undefined if aliases cannot be resolved. */
function toContent(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch {
    return undefined;
  }
}

function describeIssue(issue: z.core.$ZodIssue, locate: (path: readonly PropertyKey[]) => string): readonly string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `${locate([...issue.path, key])} is unknown. Known keys: ${listKnownKeys(issue.path).join(', ')}.`,
    );
  }
  return [`${locate(issue.path)} is invalid: ${issue.message}.`];
}

/** Returns the keys that the schema allows at a path. */
function listKnownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = z.toJSONSchema(policySchema, { io: 'input', unrepresentable: 'any' });
  for (const part of path)
    schema =
      typeof part === 'number' ? getProperty(schema, 'items') : getProperty(getProperty(schema, 'properties'), part);
  const properties = getProperty(schema, 'properties');
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function getProperty(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** Returns text such as `Policy file, line 7: subscribers[2].escalateTo`. */
function formatLocation(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  const name = path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${String(part)}`),
    '',
  );
  for (let depth = path.length; depth > 0; depth--) {
    const start = findStart(document, path.slice(0, depth));
    if (start !== undefined) return `Policy file, line ${lines.linePos(start).line}: ${name}`;
  }
  return `Policy file: ${name === '' ? 'the document' : name}`;
}

/** Returns the offset of a key or of an entry in a list; undefined if the document lacks it. */
function findStart(document: Document, path: readonly PropertyKey[]): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const last = String(path.at(-1));
    const key = parent.items.map((pair) => pair.key).find((one) => isScalar(one) && String(one.value) === last);
    return isNode(key) ? key.range?.[0] : undefined;
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}
