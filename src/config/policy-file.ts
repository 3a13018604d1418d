import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { LineCounter, isNode, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
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
  if (existsSync(path)) return parsePolicy(readFileSync(path, 'utf8'));
  if (named === null) return parsePolicy('');
  return { policy: null, faults: ['PERSONIO_SYNC_CONFIG names a file that does not exist.'] };
}

/** @param text YAML; empty means all defaults. */
export function parsePolicy(text: string): LoadedPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map(
    (error) => `Policy file, line ${lines.linePos(error.pos[0]).line}: it is no valid YAML (${error.code}).`,
  );
  if (syntax.length > 0) return { policy: null, faults: syntax };
  const parsed = policySchema.safeParse(document.toJS() ?? {});
  const place = (path: readonly PropertyKey[]): string => placed(document, lines, path);
  if (!parsed.success) return { policy: null, faults: parsed.error.issues.map((issue) => sentence(issue, place)) };
  const faults = checkReferences(parsed.data).map(({ path, fault }) => `${place(path)} ${fault}.`);
  return faults.length > 0 ? { policy: null, faults } : { policy: toPolicy(parsed.data), faults: [] };
}

function sentence(issue: z.core.$ZodIssue, place: (path: readonly PropertyKey[]) => string): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `\`${key}\``).join(', ');
    return `${place([...issue.path, issue.keys[0] ?? ''])} is unknown: ${keys}. See "Settings" in the README for the known keys.`;
  }
  return `${place(issue.path)} is wrong: ${issue.message}.`;
}

/** `Policy file, line 7: subscribers[2].escalateTo` */
function placed(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  const name = path.reduce<string>(
    (so, part) => (typeof part === 'number' ? `${so}[${part}]` : `${so}${so === '' ? '' : '.'}${String(part)}`),
    '',
  );
  for (let depth = path.length; depth > 0; depth--) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start !== undefined) return `Policy file, line ${lines.linePos(start).line}: ${name}`;
  }
  return `Policy file: ${name === '' ? 'the document' : name}`;
}
