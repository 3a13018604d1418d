declare module 'proxy-from-env' {
  /** Returns the URL of the proxy for a URL; empty where none is set, or `NO_PROXY` names the host. */
  export function getProxyForUrl(url: string): string;
}
