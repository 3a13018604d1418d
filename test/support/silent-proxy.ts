import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Network in front of a database that can fall silent: nothing passes, and nobody is told. */
export interface SilentProxy {
  /** The same database, through the proxy. */
  readonly url: string;
  /** Connections that exist pass nothing any more; new ones pass nothing until `heal`. */
  readonly fallSilent: () => void;
  /** Lets new connections pass. Those that fell silent stay so. */
  readonly heal: () => void;
  readonly close: () => Promise<void>;
}

export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((client) => {
    sockets.add(client.on('error', () => undefined));
    if (isSilent) return;
    const upstream = connect(Number(port), hostname);
    sockets.add(upstream.on('error', () => undefined));
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    fallSilent: () => {
      isSilent = true;
      for (const socket of sockets) socket.unpipe().pause().removeAllListeners('close');
    },
    heal: () => {
      isSilent = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
