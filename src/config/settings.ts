import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Policy } from '../domain/policy.js';
import { parsePostgresUrl } from '../network/postgres-url.js';
import { parseBaseUrl } from './base-url.js';
import { loadPolicy } from './policy-file.js';

/** All settings, checked. Contains secrets: never log it. */
export interface Settings {
  /** Connection from the environment, for a single company; null if neither id nor secret is set. */
  readonly personio: PersonioSettings | null;
  /** Its name, from `PERSONIO_CONNECTION`. */
  readonly connectionId: string;
  readonly databaseUrl: string | null;
  readonly temporal: TemporalSettings;
  readonly temporalCliPath: string | null;
  readonly keys: readonly string[];
  readonly payloadKeys: readonly string[];
  /** Token that callers of `codec-server` must send. */
  readonly codecToken: string | null;
  readonly home: string;
  /** `host:port` for Prometheus; null is the command's default; `off` disables it. */
  readonly metricsAddress: string | null;
  /** Address and token of the feed over HTTP; null disables it. */
  readonly feed: FeedSettings | null;
  readonly logLevel: LogLevel;
  readonly logFormat: 'pretty' | 'json' | null;
  readonly policy: Policy;
  /** Passed to child processes, and used to find programs. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

export interface PersonioSettings {
  readonly connectionId: string;
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface FeedSettings {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

export interface TemporalSettings {
  /** An address or a profile is set; otherwise `dev` starts its own server. */
  readonly isExplicit: boolean;
  readonly connectionOptions: ConnectionOptions;
  readonly namespace: string;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Thrown with every fault of the settings and the policy file, each a sentence that names the setting, not its value.
 */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `${faults.length === 1 ? 'A setting is' : `${faults.length} settings are`} invalid:\n` +
        faults.map((fault) => `  - ${fault}`).join('\n'),
    );
    this.faults = faults;
  }
}

/**
 * Reads the settings of this process.
 *
 * @throws SettingsError with all faults.
 */
export function readSettings(): Settings {
  return loadSettings(process.env, process.cwd());
}

/** Returns whether the log level is `debug` or lower, whatever else the settings are. */
export function isDebugging(): boolean {
  return ['trace', 'debug'].includes(process.env['LOG_LEVEL'] ?? '');
}

/**
 * Reads settings from an environment, and the policy file from a folder or `PERSONIO_SYNC_CONFIG`.
 *
 * @throws SettingsError with all faults.
 */
export function loadSettings(environment: Readonly<NodeJS.ProcessEnv>, folder: string): Settings {
  const reader = new EnvironmentReader(environment);
  const connectionId = reader.readMatching('PERSONIO_CONNECTION', CONNECTION_ID, CONNECTION_ID_RULE) ?? 'default';
  const settings = {
    connectionId,
    personio: readPersonio(reader, connectionId),
    databaseUrl: readDatabaseUrl(reader),
    temporal: readTemporal(reader),
    temporalCliPath: reader.readText('TEMPORAL_CLI_PATH'),
    keys: readKeys(reader, 'PERSONIO_SYNC_KEYS'),
    payloadKeys: readKeys(reader, 'PERSONIO_SYNC_PAYLOAD_KEYS'),
    codecToken: reader.readSecret('PERSONIO_SYNC_CODEC_TOKEN'),
    home: toAbsolutePath(folder, reader.readText('PERSONIO_SYNC_HOME') ?? '.personio-sync'),
    metricsAddress: readMetricsAddress(reader),
    feed: readFeed(reader),
    logLevel: reader.readOneOf('LOG_LEVEL', LOG_LEVELS) ?? 'info',
    logFormat: reader.readOneOf('LOG_FORMAT', ['pretty', 'json'] as const),
    environment,
  };
  const { policy, faults } = loadPolicy(folder, reader.readText('PERSONIO_SYNC_CONFIG'));
  const all = [...reader.faults, ...faults];
  if (all.length > 0 || policy === null) throw new SettingsError(all);
  return { ...settings, policy };
}

/** Names a connection in workflow ids, schedule ids and search attributes. */
export const CONNECTION_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const CONNECTION_ID_RULE = 'it must have up to 63 lowercase letters, digits and hyphens';

/** Reads variables and collects their faults. */
class EnvironmentReader {
  readonly faults: string[] = [];
  readonly environment: Readonly<NodeJS.ProcessEnv>;

  constructor(environment: Readonly<NodeJS.ProcessEnv>) {
    this.environment = environment;
  }

  /** Treats an empty variable as unset: compose files pass on variables that the host lacks. */
  readText(name: string): string | null {
    const value = this.environment[name];
    return value === undefined || value === '' ? null : value;
  }

  /** Returns the variable, or the content of the file in `NAME_FILE` without its last line break. */
  readSecret(name: string): string | null {
    const value = this.readText(name);
    const file = this.readText(`${name}_FILE`);
    if (file === null) return value;
    if (value !== null) this.faults.push(`${name} and ${name}_FILE are both set; set only one of them.`);
    try {
      const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
      if (content !== '') return content;
      this.faults.push(`${name}_FILE names an empty file.`);
      return null;
    } catch {
      this.faults.push(`${name}_FILE names a file that cannot be read.`);
      return null;
    }
  }

  readMatching(name: string, pattern: RegExp, rule: string): string | null {
    const value = this.readText(name);
    if (value === null || pattern.test(value)) return value;
    this.faults.push(`${name} is malformed: ${rule}.`);
    return null;
  }

  readOneOf<T extends string>(name: string, allowed: readonly T[]): T | null {
    const value = this.readText(name);
    const found = allowed.find((one) => one === value);
    if (value !== null && found === undefined) this.faults.push(`${name} must be one of ${allowed.join(', ')}.`);
    return found ?? null;
  }
}

function readPersonio(reader: EnvironmentReader, connectionId: string): PersonioSettings | null {
  const clientId = reader.readSecret('PERSONIO_CLIENT_ID');
  const clientSecret = reader.readSecret('PERSONIO_CLIENT_SECRET');
  const base = parseBaseUrl(reader.readText('PERSONIO_BASE_URL') ?? 'https://api.personio.de');
  if ('fault' in base) reader.faults.push(`PERSONIO_BASE_URL ${base.fault}.`);
  if (clientId === null && clientSecret === null) return null;
  if (clientId === null)
    reader.faults.push('PERSONIO_CLIENT_ID is missing while PERSONIO_CLIENT_SECRET is set; set both.');
  if (clientSecret === null)
    reader.faults.push('PERSONIO_CLIENT_SECRET is missing while PERSONIO_CLIENT_ID is set; set both.');
  if (/[\r\n]/.test(clientSecret ?? ''))
    reader.faults.push('PERSONIO_CLIENT_SECRET contains a line break; copy it again.');
  if (clientId === null || clientSecret === null || 'fault' in base) return null;
  return { connectionId, clientId, clientSecret, baseUrl: base.origin };
}

const MAX_PORT = 65_535;

function readMetricsAddress(reader: EnvironmentReader): string | null {
  const address = reader.readMatching('METRICS_ADDRESS', /^(off|.+:\d{1,5})$/, 'it must be `host:port`, or `off`');
  if (address !== null && address !== 'off') requirePort(reader, 'METRICS_ADDRESS', address);
  return address;
}

function requirePort(reader: EnvironmentReader, name: string, address: string): void {
  const isInRange = Number(address.split(':').at(-1)) <= MAX_PORT;
  if (!isInRange) reader.faults.push(`${name} is malformed: its port must be a number from 0 to ${MAX_PORT}.`);
}

const FEED_TOKEN_CHARACTERS = 16;

function readFeed(reader: EnvironmentReader): FeedSettings | null {
  const token = reader.readSecret('FEED_TOKEN');
  const address = reader.readMatching('FEED_ADDRESS', /^.+:\d{1,5}$/, 'it must be `host:port`') ?? '0.0.0.0:9465';
  requirePort(reader, 'FEED_ADDRESS', address);
  if (token === null) return null;
  if (token.length < FEED_TOKEN_CHARACTERS)
    reader.faults.push(`FEED_TOKEN is too short: it must have at least ${FEED_TOKEN_CHARACTERS} characters.`);
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)), token };
}

function readDatabaseUrl(reader: EnvironmentReader): string | null {
  const text = reader.readSecret('DATABASE_URL');
  if (text === null) return null;
  const parsed = parsePostgresUrl(text);
  if ('target' in parsed) return text;
  reader.faults.push(`DATABASE_URL ${parsed.fault}.`);
  return null;
}

function readTemporal(reader: EnvironmentReader): TemporalSettings {
  const isExplicit = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some(
    (name) => reader.readText(name) !== null,
  );
  try {
    const present = Object.entries(reader.environment).filter(([, value]) => value !== undefined && value !== '');
    const override: Record<string, string> = Object.fromEntries(present.map(([name, value]) => [name, value ?? '']));
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: override });
    return { isExplicit, connectionOptions, namespace: namespace ?? 'default' };
  } catch {
    reader.faults.push(
      'The TEMPORAL_… settings cannot be read. ' +
        'Check TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE and the files in TEMPORAL_TLS_….',
    );
    return { isExplicit, connectionOptions: {}, namespace: 'default' };
  }
}

/** Returns the entries `id:base64` of a key ring, each checked. The first one seals, all of them open. */
function readKeys(reader: EnvironmentReader, name: string): readonly string[] {
  const entries = (reader.readSecret(name) ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  entries.forEach((entry, index) => {
    const [, id, key] = /^([\w.-]+):([A-Za-z0-9+/]+={0,2})$/.exec(entry) ?? [];
    if (id !== undefined && key !== undefined && Buffer.from(key, 'base64').length === 32) return;
    reader.faults.push(
      `${name}: key ${index + 1} is malformed: it must be \`id:base64\` with 32 bytes in standard base64.`,
    );
  });
  const ids = entries.map((entry) => entry.slice(0, entry.indexOf(':')));
  if (new Set(ids).size < ids.length) reader.faults.push(`${name} contains an id twice.`);
  return entries;
}

function toAbsolutePath(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
