// Which proxy a URL is reached through, from HTTPS_PROXY, HTTP_PROXY and NO_PROXY: one answer for git, forges and chat,
// whose own readings of NO_PROXY differ. A leaf; pure.
import { BlockList, isIP } from 'node:net';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy's URL with its user and password, written so that git and Node read it alike; undefined to go straight.
 * `url` is http or https. The variables may be in lower case, which wins, as in curl. Throws as proxySecrets does.
 */
export function proxyFor(url: URL, env: Env): string | undefined {
  const proxy = readProxy(env, url.protocol === 'https:' ? 'https_proxy' : 'http_proxy');
  if (proxy === undefined || isExcepted(url, read(env, 'no_proxy'))) return undefined;
  const { protocol, username, password, hostname } = proxy;
  // Without a password git would ask a person for one, and show the user; without a port curl takes 1080.
  const login = username === '' && password === '' ? '' : `${username}:${password}@`;
  return `${protocol}//${login}${hostname}:${portOf(proxy)}`;
}

/**
 * Strings of the environment's proxies that no message may hold. Throws an Error for a person, which holds none of them,
 * where a variable is not the URL of a proxy: git and Node would repeat a part of it.
 */
export function proxySecrets(env: Env): string[] {
  const proxies = ['https_proxy', 'http_proxy'].flatMap((name) => readProxy(env, name) ?? []);
  const secrets = proxies.map(({ username, password }) => password || username).filter((secret) => secret !== '');
  return [...new Set(secrets.flatMap((secret) => [secret, decodeURIComponent(secret)]))];
}

/** A proxy without a scheme is http. */
function readProxy(env: Env, name: string): URL | undefined {
  const text = read(env, name);
  if (text === '') return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && isProxy(url)) return url;
  const variable = env[name] ? name : name.toUpperCase();
  throw new Error(
    `${variable} is not the URL of a proxy: write http://user:password@host:port (or https, or without user and password), and / ? # % in the user or the password as %2F %3F %23 %25`,
  );
}

function isProxy({ protocol, hostname, pathname, search, hash, username, password }: URL): boolean {
  if (!/^https?:$/.test(protocol) || hostname === '' || `${pathname}${search}${hash}` !== '/') return false;
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

function read(env: Env, name: string): string {
  return (env[name] || env[name.toUpperCase()] || '').trim();
}

/** As Go, and so as kubectl: * is all; a name is itself and what is below it; .name is only what is below; addresses and ranges; each with a port or without. */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  const port = portOf(url);
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => fits(entry.toLowerCase(), host, port));
}

function fits(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInRange(entry, host);
  const [, name = entry, wantedPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/^\*\./, '.');
  if (isIP(bare) !== 0) return isIP(host) !== 0 && isInRange(`${bare}/${isIP(bare) === 6 ? 128 : 32}`, host);
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function isInRange(range: string, host: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(network);
  const most = family === 6 ? 128 : 32;
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most || isIP(host) === 0) return false;
  const list = new BlockList();
  const name = (version: number) => (version === 6 ? 'ipv6' : 'ipv4');
  list.addSubnet(network, Number(bits), name(family));
  return list.check(host, name(isIP(host)));
}
