// What passed the proxies, in few bytes: a long run sends a million requests, whose bodies nobody could keep. One line each,
// with the names in it, and what the oracles need: when each run was first seen to exist, and which Jobs were created.
import type { LogEntry } from '../../env/proxy.ts';

export interface Created {
  readonly uid: string;
  readonly ownerUid: string;
}

/** Requests that say nothing about runs. */
const notOfRuns = /\/leases\b|\/events\b/;

export class Trail {
  /** All requests but renewals of the Lease and Events. */
  readonly lines: string[] = [];
  /** namespace/name of a run → when an answer first showed that it was stored, by performance.now(). */
  readonly storedAt = new Map<string, number>();
  /** Jobs that the API server said it had created, whoever asked. */
  readonly jobs: Created[] = [];
  /** Requests to the API server that are no watch, no Lease and no Event, by method and resource. */
  readonly calls = new Map<string, number>();

  /** For a proxy's onDone. */
  readonly note =
    (place: string) =>
    (entry: LogEntry): void => {
      const { method, path, query, status = '-', fault } = entry;
      if (query.get('watch') !== null || notOfRuns.test(path)) return;
      const named = namesIn(entry);
      const time = new Date(entry.time).toISOString().slice(11, 23);
      this.lines.push(`${time} ${place} ${method} ${path}${named} ${status}${fault ? ` (${fault.kind})` : ''}`);
      if (place.startsWith('api')) this.#noteApi(entry);
    };

  about(words: readonly string[]): readonly string[] {
    return this.lines.filter((line) => words.some((word) => word !== '' && line.includes(word)));
  }

  #noteApi(entry: LogEntry): void {
    const { method, path, status = 0 } = entry;
    const call = `${method} ${path.replace(/.*\/(?=githook|jobs|pods|workflow)/, '').replace(/\/[^/]+/, '/NAME')}`;
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
    // 409: what was to be created is there already.
    if (entry.answeredAt !== undefined && (status < 300 || status === 409)) this.#noteRun(entry, entry.answeredAt);
    if (method === 'POST' && status === 201 && path.endsWith('/jobs')) this.#noteJob(entry);
  }

  #noteRun({ method, path, body }: LogEntry, at: number): void {
    const [, namespace, inPath] = /\/namespaces\/([^/]+)\/githookruns(?:\/([^/]+))?/.exec(path) ?? [];
    const name = inPath ?? (method === 'POST' ? nameIn(body) : undefined);
    if (namespace === undefined || name === undefined) return;
    const key = `${namespace}/${name}`;
    if (!this.storedAt.has(key)) this.storedAt.set(key, at);
  }

  /** The answer may be cut off where kube-git was killed meanwhile; the owner stands in what was sent. */
  #noteJob({ body, answer }: LogEntry): void {
    const uid = /"uid":"([^"]+)"/.exec(answer)?.[1];
    const ownerUid = /"ownerReferences":\[\{[^\]]*?"uid":"([^"]+)"/.exec(body)?.[1];
    if (uid !== undefined && ownerUid !== undefined) this.jobs.push({ uid, ownerUid });
  }
}

function namesIn({ method, path, body }: LogEntry): string {
  if (method !== 'POST' || path.includes('.git/')) return '';
  if (path.includes('/slack/'))
    return ` ${/[0-9a-f]{40}/.exec(body)?.[0] ?? ''} ${/"title":"([^"]*)"/.exec(body)?.[1]}`;
  if (path.includes('/statuses/')) return ` ${/"state":"(\w+)"/.exec(body)?.[1]}`;
  return `/${nameIn(body) ?? ''}`;
}

/** Of an object that was sent: parsing all of them would cost as much as the rest of the proxy. */
function nameIn(body: string): string | undefined {
  return /"metadata":\{[^{}]*?"name":"([^"]+)"/.exec(body)?.[1];
}
