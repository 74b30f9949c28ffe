// The cluster's network: one bridge inside the sandbox with the node, the pods and, over a pair of linked devices, the
// machine itself. No routes, no NAT, no change to the machine but one device, which goes away with the sandbox.
// Two clusters on one machine take two ranges.
import { run } from './command.ts';
import type { Sandbox } from './sandbox.ts';

export interface Network {
  /** The machine, as pods and the API server see it. */
  readonly host: string;
  /** The node, and the API server, as the machine and pods see it. */
  readonly node: string;
  /** The range in CIDR notation, and the part of it that pods get. */
  readonly range: string;
  readonly firstPod: string;
  readonly lastPod: string;
}

/** Inside the sandbox. */
export const bridgeName = 'kubegit0';
/** The first address of the control plane's service range is the API server's. It lies on the node itself, so no kube-proxy is needed. */
export const serviceAddress = '10.96.0.1';
/** Nobody listens here: name look-ups of pods fail at once instead of after a time-out. */
export const dnsAddress = '10.96.0.10';

// Private ranges that Docker, podman, libvirt and home routers do not take by themselves.
const candidates = ['10.213', '172.29'].flatMap((start) => Array.from({ length: 256 }, (_, n) => `${start}.${n}`));

/** Links the sandbox with the machine over the first free range. Throws when none is free. */
export async function createNetwork(sandbox: Sandbox, signal?: AbortSignal): Promise<Network> {
  const used = await usedRanges(signal);
  for (const [index, start] of candidates.entries()) {
    if (used.some((range) => overlaps(range, `${start}.0/24`))) continue;
    if (await createLink(`kubegit${index}`, sandbox, signal)) return connect(`kubegit${index}`, start, sandbox);
  }
  throw new Error(
    'no address range is free for the node: every one of 10.213.0.0/16 and 172.29.0.0/16 has a route on this machine ' +
      '(see "ip route"): end the VPN or network that uses them',
  );
}

/**
 * Takes the device away from the machine: it would go with the sandbox too, but the kernel takes its time over that.
 * From the inside, where no other cluster's device can be meant; with the sandbox the device is gone already.
 */
export async function disconnect(sandbox: Sandbox): Promise<void> {
  await run(sandbox.enter(['ip', 'link', 'delete', 'eth0'])).catch(() => undefined);
}

/** False when the name is taken: the kernel decides between two clusters that start at the same time. */
async function createLink(name: string, sandbox: Sandbox, signal: AbortSignal | undefined): Promise<boolean> {
  const peer = ['peer', 'name', 'eth0', 'netns', String(sandbox.pid)];
  try {
    await run(['ip', 'link', 'add', name, 'type', 'veth', ...peer], { signal });
    return true;
  } catch (error) {
    const taken = await run(['ip', 'link', 'show', name]).then(
      () => true,
      () => false,
    );
    if (taken) return false;
    throw error;
  }
}

async function connect(name: string, start: string, sandbox: Sandbox): Promise<Network> {
  const network = networkOf(start);
  await run(['ip', 'address', 'add', `${network.host}/24`, 'dev', name]);
  await run(['ip', 'link', 'set', name, 'up']);
  await run(
    sandbox.enter(['sh', '-ec', insideScript, 'sh', bridgeName, `${network.node}/24`, serviceAddress, dnsAddress]),
  );
  return network;
}

function networkOf(start: string): Network {
  return {
    host: `${start}.1`,
    node: `${start}.2`,
    range: `${start}.0/24`,
    firstPod: `${start}.16`,
    lastPod: `${start}.254`,
  };
}

// A bridge without an address of its own takes the lowest of its ports', so it changes as pods come and go, and whoever
// knows the old one (ARP) reaches nobody for up to half a minute.
const insideScript = `
ip link set lo up
ip link add "$1" address 02:6b:67:00:00:01 type bridge
ip link set eth0 master "$1"
ip link set eth0 up
ip link set "$1" up
ip address add "$2" dev "$1"
ip address add "$3/32" dev lo
ip address add "$4/32" dev lo
`;

/** What the machine has routes for, default routes left out. */
async function usedRanges(signal: AbortSignal | undefined): Promise<readonly string[]> {
  const text = await run(['ip', '-json', '-4', 'route', 'show', 'table', 'all'], { signal });
  const routes = JSON.parse(text) as readonly { readonly dst?: string }[];
  return routes.map((route) => route.dst ?? 'default').filter((range) => range !== 'default' && range !== '0.0.0.0/0');
}

/** Whether two IPv4 ranges (`10.1.0.0/16`; a lone address counts as /32) have an address in common. */
export function overlaps(a: string, b: string): boolean {
  const [first, second] = [parseRange(a), parseRange(b)];
  const block = 2 ** (32 - Math.min(first.prefix, second.prefix));
  return Math.floor(first.start / block) === Math.floor(second.start / block);
}

function parseRange(range: string): { start: number; prefix: number } {
  const [address = '', prefix = '32'] = range.split('/');
  const start = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return { start, prefix: Number(prefix) };
}
