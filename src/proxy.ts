// Which proxy a URL is reached through, from HTTPS_PROXY, HTTP_PROXY and NO_PROXY: one answer for git, forges and chat,
// whose own readings of NO_PROXY differ. A leaf; pure.
import { BlockList, isIP } from 'node:net';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy's URL as it is written, with its user and password; undefined to go straight. `url` is http or https.
 * The variables may be in lower case, which wins, as in curl. A proxy without a scheme is http.
 */
export function proxyFor(url: URL, env: Env): string | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const proxy = read(env, name);
  if (proxy === '' || isExcepted(url, read(env, 'no_proxy'))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Strings of the environment's proxies that no message may hold. */
export function proxySecrets(env: Env): string[] {
  const urls = ['https_proxy', 'http_proxy']
    .map((name) => read(env, name))
    .map((text) => (text.includes('://') ? text : `http://${text}`));
  return urls.flatMap((text) => {
    const password = URL.parse(text)?.password ?? '';
    return password === '' ? [] : [password, decodeURIComponent(password)];
  });
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
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
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
