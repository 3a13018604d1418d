import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createCertificate } from '../support/certificates.js';

const HTTP_MODULE = new URL('../../dist/src/personio/http.js', import.meta.url).href;
const SCRIPT = `
  const { createHttp } = await import(${JSON.stringify(HTTP_MODULE)});
  const http = createHttp(process.argv[1], 'test');
  const route = { method: 'GET', template: '/v1/ping' };
  for (let count = 0; count < 2; count += 1)
    console.log(await http({ route, path: '/v1/ping' }).then(({ text }) => text, (error) => error.message));
  process.exit(0);
`;

let server: Server;
let proxy: Server;
let certificate: string;
const asked: string[] = [];
let refuses = false;

const listen = async (target: Server): Promise<number> =>
  new Promise((resolve) => target.listen(0, '127.0.0.1', () => resolve((target.address() as AddressInfo).port)));

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-'));
  certificate = join(folder, 'certificate.pem');
  const own = createCertificate('personio.test');
  writeFileSync(certificate, own.certificate);
  server = createHttpsServer({ key: own.key, cert: own.certificate }, (_request, response) => {
    response.end('reached');
  });
  const port = await listen(server);
  proxy = createHttpServer().on('connect', ({ url, headers }, client: Socket) => {
    asked.push(`${url} ${headers['proxy-authorization'] ?? 'nobody'}`);
    if (refuses) return client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    return undefined;
  });
  await listen(proxy);
});
afterAll(() => {
  server.close();
  proxy.close();
});

async function request(origin: string, more: Readonly<Record<string, string>>): Promise<readonly string[]> {
  asked.length = 0;
  const env = { PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: certificate, ...more };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', SCRIPT, origin], { env }, (_error, stdout) =>
      resolve(stdout.trim().split('\n')),
    );
  });
}

const getProxy = (): string => `http://user:pass@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const ORIGIN = 'https://personio.test';

test.each(['HTTPS_PROXY', 'https_proxy'])('%s is obeyed, with its credentials and one connection', async (name) => {
  expect(await request(ORIGIN, { [name]: getProxy() })).toEqual(['reached', 'reached']);
  expect(asked).toEqual([`personio.test:443 Basic ${Buffer.from('user:pass').toString('base64')}`]);
});

test.each(['NO_PROXY', 'no_proxy'])('%s is obeyed', async (name) => {
  const [message] = await request(ORIGIN, { HTTPS_PROXY: getProxy(), [name]: 'other.test,.test' });
  expect(message).toMatch(/Cannot reach Personio/);
  expect(asked).toEqual([]);
});

test('a metadata address is refused before the proxy is asked', async () => {
  const [message] = await request('https://169.254.169.254', { HTTPS_PROXY: getProxy() });
  expect(message).toMatch(/link-local or metadata address/);
  expect(asked).toEqual([]);
});

test('a refusal of the proxy is no response of Personio, and names no credentials', async () => {
  refuses = true;
  const [message] = await request(ORIGIN, { HTTPS_PROXY: getProxy() });
  expect(message).toMatch(/Cannot reach Personio .* HTTPS_PROXY and NO_PROXY/);
  expect(message).not.toMatch(/pass|127\.0/);
});
