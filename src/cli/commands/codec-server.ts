import type { Server } from 'node:http';
import { readSettings } from '../../config/settings.js';
import { parseKeyRing } from '../../crypto/sealing.js';
import { createCodecServer } from '../../temporal/codec-server.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { waitForSignal } from '../../worker/worker-host.js';

interface Options {
  readonly host: string;
  readonly port: string;
  readonly origin: readonly string[];
}

/** Addresses of the development server's UI. */
const DEFAULT_ORIGINS = ['http://localhost:8233', 'http://127.0.0.1:8233'];
const MIN_TOKEN_CHARACTERS = 16;

/** `codec-server` */
export const codecServerCommand: CommandDefinition = (program, finish) => {
  program
    .command('codec-server')
    .description(
      'let the Temporal UI and CLI decode encrypted payloads, until stopped; ' +
        'needs PERSONIO_SYNC_PAYLOAD_KEYS and PERSONIO_SYNC_CODEC_TOKEN',
    )
    .option('--host <address>', 'address to listen on; put TLS in front of anything but loopback', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', '8088')
    .option('--origin <url...>', 'origins of the Temporal UIs that may call this server', DEFAULT_ORIGINS)
    .action(async (options: Options) => finish(run(options)));
};

async function run({ host, port, origin }: Options): Promise<ExitCode> {
  const output = createOutput(false, process.stdout, process.stderr);
  const { payloadKeys, codecToken } = readSettings();
  if (payloadKeys.length === 0)
    throw new CommandError('No payload keys configured. Set PERSONIO_SYNC_PAYLOAD_KEYS.', EXIT.usage);
  if (codecToken === null || codecToken.length < MIN_TOKEN_CHARACTERS) {
    throw new CommandError(
      `Set PERSONIO_SYNC_CODEC_TOKEN (or …_FILE) to at least ${MIN_TOKEN_CHARACTERS} characters; its holder can read ` +
        'payloads. Create one with `openssl rand -hex 32`.',
      EXIT.usage,
    );
  }
  const stopped = waitForSignal();
  const server = createCodecServer({ ring: parseKeyRing(payloadKeys), token: codecToken, origins: origin });
  const address = await listen(server, host, Number(port));
  output.say(`Decoding at ${address}, for pages of ${origin.join(', ')}.`);
  output.say(`CLI: temporal workflow show --codec-endpoint ${address} --codec-auth "Bearer …" --workflow-id …`);
  output.say(
    `UI: open ${address}/ once in the same browser, then set it as the codec endpoint with credentials included.`,
  );
  await stopped;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return EXIT.done;
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new CommandError('--port must be a number from 0 to 65535.', EXIT.usage);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const code = 'code' in error ? String(error.code) : 'unknown';
      reject(new CommandError(`Cannot listen at ${host}:${port} (${code}). Choose another --host or --port.`));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`;
}
