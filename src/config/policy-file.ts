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
 * Reads the policy file, if there is one: `personio-sync.yaml` in the folder, or the one that is named.
 *
 * @returns the policy complete with its defaults, or every fault with its place and line.
 */
export function loadPolicy(folder: string, named: string | null): LoadedPolicy {
  const path = isAbsolute(named ?? DEFAULT_FILE) ? (named ?? DEFAULT_FILE) : join(folder, named ?? DEFAULT_FILE);
  if (named === null && !existsSync(path)) return parsePolicy('');
  try {
    return parsePolicy(readFileSync(path, 'utf8'));
  } catch {
    const subject = named === null ? `${DEFAULT_FILE} is there, and is no` : 'PERSONIO_SYNC_CONFIG names no';
    return { policy: null, faults: [`${subject} file that can be read.`] };
  }
}

/** @param text YAML; empty means all defaults. */
export function parsePolicy(text: string): LoadedPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map(
    (error) => `Policy file, line ${lines.linePos(error.pos[0]).line}: it is no valid YAML (${error.code}).`,
  );
  if (syntax.length > 0) return { policy: null, faults: syntax };
  const content = toContent(document);
  if (content === undefined)
    return { policy: null, faults: ['Policy file: its aliases refer to nothing, or multiply beyond measure.'] };
  const parsed = policySchema.safeParse(content);
  const locate = (path: readonly PropertyKey[]): string => formatLocation(document, lines, path);
  if (!parsed.success)
    return { policy: null, faults: parsed.error.issues.flatMap((issue) => describeIssue(issue, locate)) };
  const faults = checkReferences(parsed.data).map(({ path, fault }) => `${locate(path)} ${fault}.`);
  return faults.length > 0 ? { policy: null, faults } : { policy: toPolicy(parsed.data), faults: [] };
}

/** @returns undefined where aliases cannot be followed. */
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
      (key) => `${locate([...issue.path, key])} is unknown; known are ${listKnownKeys(issue.path).join(', ')}.`,
    );
  }
  return [`${locate(issue.path)} is wrong: ${issue.message}.`];
}

/** What the schema itself says may stand there. */
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

/** `Policy file, line 7: subscribers[2].escalateTo` */
function formatLocation(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  const name = path.reduce<string>(
    (so, part) => (typeof part === 'number' ? `${so}[${part}]` : `${so}${so === '' ? '' : '.'}${String(part)}`),
    '',
  );
  for (let depth = path.length; depth > 0; depth--) {
    const start = findStart(document, path.slice(0, depth));
    if (start !== undefined) return `Policy file, line ${lines.linePos(start).line}: ${name}`;
  }
  return `Policy file: ${name === '' ? 'the document' : name}`;
}

/** Where a key stands, or an entry of a list. */
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
