// The points of a run at which it can be struck: every request that kube-git sends, and the delivery that it gets. Each has
// a name that is the same in every run, so that a table can have a row for it.
import type { Fault, LogEntry, ProxiedRequest } from '../env/proxy.ts';

/** Which way a request goes: each has a proxy of its own. */
export type Door = 'api' | 'git' | 'github' | 'slack' | 'webhook';

/** One request, through any door. */
export interface Call extends LogEntry {
  readonly door: Door;
  /** See nameOf. */
  readonly what: string;
}

/** A request at the moment it comes to the proxy. */
export interface Point {
  readonly door: Door;
  /** nameOf and how often there has been one of this name since the push: "POST jobs #1". */
  readonly name: string;
  readonly request: ProxiedRequest;
}

/** Says for each point what becomes of the request; `hand` can end kube-git there. */
export type Nemesis = (point: Point, hand: Hand) => Fault | undefined;

export interface Hand {
  /** SIGKILL now; it is started again. */
  kill(): void;
  /** SIGTERM now, as a rolling update does; it is started again when it has ended. */
  terminate(): void;
  /** SIGSTOP. */
  suspend(): void;
}

/** What the request is, without what differs from run to run. */
export function nameOf(door: Door, { method, path, query }: ProxiedRequest): string {
  if (door === 'webhook') return 'delivery';
  if (door === 'slack') return `${method} Slack message`;
  if (door === 'github')
    return `${method} ${path.includes('/statuses/') ? 'commit status' : path.replace(/^.*\//, '')}`;
  if (door === 'git') return `${method} ${path.replace(/^.*\.git\//, '')}`;
  if (query.get('watch') !== null) return `WATCH ${pluralOf(path)}`;
  const [, plural = '', name, subresource] = inNamespace(path);
  const verb = method === 'GET' && name === undefined ? 'LIST' : method;
  return `${verb} ${plural}${subresource === undefined ? '' : `/${subresource}`}`;
}

function pluralOf(path: string): string {
  return inNamespace(path)[1] ?? '';
}

/** Namespace, plural, name, subresource. */
function inNamespace(path: string): readonly (string | undefined)[] {
  const [, namespace, rest = path.replace(/^\/apis?\/(?:[^/]+\/)?v[^/]+\//, '')] =
    /\/namespaces\/([^/]+)\/(.+)$/.exec(path) ?? [];
  return [namespace, ...rest.split('/')];
}

/** Whether the request is part of the work on a push: not what goes on all the time, whether there are pushes or not. */
export function isWork(what: string): boolean {
  return !/^WATCH |leases|LIST workflows|LIST ?$/.test(what);
}

/** The three moments of a request at which a process can die. */
export const moments = {
  'before it is sent': (hand: Hand): Fault => {
    hand.kill();
    return { kind: 'drop' };
  },
  'applied, answer lost': (hand: Hand): Fault => {
    hand.kill();
    return { kind: 'dropAnswer' };
  },
  'after the answer': (hand: Hand): Fault => ({ kind: 'passed', onLeft: () => hand.kill() }),
} as const;

export type Moment = keyof typeof moments;

/** Asks it to end, once, at this point; the request is sent all the same. */
export function terminateAt(name: string): Nemesis {
  let struck = false;
  return (point, hand) => {
    if (!struck && point.name === name) {
      struck = true;
      hand.terminate();
    }
    return undefined;
  };
}

/** Kills once, at this point and moment. */
export function killAt(name: string, moment: Moment): Nemesis {
  let struck = false;
  return (point, hand) => {
    if (struck || point.name !== name) return undefined;
    struck = true;
    return moments[moment](hand);
  };
}

/** Asks them all, each at every point; the first fault counts. */
export function together(...nemeses: readonly Nemesis[]): Nemesis {
  return (point, hand) => nemeses.map((nemesis) => nemesis(point, hand)).find((fault) => fault !== undefined);
}
