// The connections to sinks: straight or through a proxy, with the certificates that are trusted. Called by http.ts only.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { proxyFor } from './proxy.ts';

export interface AgentOptions {
  /** PEM, all that are trusted; undefined: those Node trusts. */
  readonly ca: readonly string[] | undefined;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Below the time for which servers keep an idle connection (5 s and more), so that none is used that was just closed. */
const idleMs = 4_000;
/** For a tunnel to be there: Node takes the same setting for that. */
const tunnelMs = 10_000;

/** The agent for a URL, and whether it goes through a proxy; agents are kept, one for each protocol and proxy. */
export function createAgents({ ca, environment }: AgentOptions): (url: URL) => { agent: HttpAgent; proxied: boolean } {
  const agents = new Map<string, HttpAgent>();
  return (url) => {
    const proxy = proxyFor(url, environment);
    const key = `${url.protocol} ${proxy ?? ''}`;
    const agent = agents.get(key) ?? open(url.protocol, proxy);
    agents.set(key, agent);
    return { agent, proxied: proxy !== undefined };
  };
  function open(protocol: string, proxy: string | undefined): HttpAgent {
    const common = { keepAlive: true, timeout: proxy === undefined ? idleMs : tunnelMs, ...proxyOptions(proxy) };
    return protocol === 'https:' ? new HttpsAgent({ ...common, ...(ca && { ca: [...ca] }) }) : new HttpAgent(common);
  }
}

/** Node's agent takes proxies as an environment (since 24.5): this one holds nothing but ours, so its own NO_PROXY rules never count. */
function proxyOptions(proxy: string | undefined) {
  return proxy === undefined ? {} : { proxyEnv: { https_proxy: proxy, http_proxy: proxy } };
}
