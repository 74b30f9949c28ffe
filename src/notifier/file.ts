// The notification file while kube-git runs: read at start and whenever it changes. A bad file keeps the last good one.
// Started by main; the controller asks it for the sink that a GitHook names.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { HttpGet, HttpPost } from '../http.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { Notifier, NotifierEntry, NotifierType } from './notifier.ts';
import { type ParsedFile, parseNotificationFile } from './parse.ts';
import { registry } from './registry.ts';

export interface NotificationFileOptions {
  readonly path: string;
  /** Whether nobody named it: then it may be missing, which means no sinks. */
  readonly isDefaultPath: boolean;
  readonly http: HttpPost;
  /** Default: no entry leads to a log of deliveries. */
  readonly httpGet?: HttpGet;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'notificationFileValid'>;
  /** Called after entries were added, changed or removed; not for the first reading. Must not throw. */
  readonly onChange: () => void;
  /** Default: all of registry.ts. */
  readonly types?: readonly NotifierType[];
}

export interface NamedSink {
  readonly notifier: Notifier;
  /** The forge's log of deliveries, where it keeps one. */
  readonly log?: DeliveryLog;
  /** Of everything the entry says: another digest is another entry, which may work where the last did not. */
  readonly digest: string;
}

export interface NotificationFile {
  /** The sink of an entry, such as find('github', 'ci'); undefined where there is no such entry. */
  find(type: string, name: string): NamedSink | undefined;
  /** The entries of a type, sorted: for messages. */
  names(type: string): string[];
  /** What must be masked in the log: of the present entries and of the ones before them, which may still be in use. */
  secrets(): string[];
  /** What is wrong with the file on disk, while the last good one is used; undefined when all is well. */
  problem(): string | undefined;
  /** Looks for changes until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** The kubelet brings a changed Secret after up to a minute; five seconds more go unnoticed. */
const pollIntervalMs = 5_000;

/** Reads the file and follows it. Throws where a file that was named does not exist; any other fault of the file is logged, and there are no sinks until it is mended. */
export async function watchNotificationFile(options: NotificationFileOptions): Promise<NotificationFile> {
  const follower = new Follower(options);
  await follower.start();
  return follower;
}

interface Sinks {
  readonly byName: ReadonlyMap<string, NamedSink>;
  readonly secrets: readonly string[];
}

const noSinks: Sinks = { byName: new Map(), secrets: [] };

class Follower implements NotificationFile {
  readonly #options: NotificationFileOptions;
  #sinks = noSinks;
  #before = noSinks;
  /** What was last read, good or bad: the same is not reported twice. */
  #seen: string | undefined;
  #problem: string | undefined;

  constructor(options: NotificationFileOptions) {
    this.#options = options;
  }

  find(type: string, name: string): NamedSink | undefined {
    return this.#sinks.byName.get(`${type}.${name}`);
  }

  names(type: string): string[] {
    const prefix = `${type}.`;
    const names = [...this.#sinks.byName.keys()].filter((name) => name.startsWith(prefix));
    return names.map((name) => name.slice(prefix.length)).sort();
  }

  secrets(): string[] {
    return [...new Set([...this.#sinks.secrets, ...this.#before.secrets])];
  }

  problem(): string | undefined {
    return this.#problem;
  }

  async start(): Promise<void> {
    const { path, isDefaultPath } = this.#options;
    const read = await readText(path);
    if (read.kind === 'missing' && !isDefaultPath) {
      throw new Error(
        `the notification file ${path} does not exist: create it, or leave out -notification-config-file`,
      );
    }
    this.#apply(read);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(pollIntervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (this.#apply(await readText(this.#options.path))) this.#options.onChange();
    }
  }

  /** Takes over what was read; true when that changed the entries. Level, not edge: whatever way the file came to be so. */
  #apply(read: Read): boolean {
    const seen = `${read.kind}:${read.text}`;
    if (seen === this.#seen) return false;
    this.#seen = seen;
    const { types = registry } = this.#options;
    try {
      const sinks = this.#connect(parseNotificationFile(this.#textOf(read), types));
      const changed = !sameSinks(this.#sinks, sinks);
      this.#before = this.#sinks;
      this.#sinks = sinks;
      this.#report(undefined);
      return changed;
    } catch (error) {
      this.#report(messageOf(error));
      return false;
    }
  }

  #textOf(read: Read): string {
    if (read.kind === 'text') return read.text;
    if (read.kind === 'missing' && this.#options.isDefaultPath) return '';
    throw new Error(read.kind === 'missing' ? 'the notification file is gone' : read.text);
  }

  #connect({ entries, unknown }: ParsedFile): Sinks {
    const { log, path } = this.#options;
    if (unknown.length > 0) log.warn({ path, unknown }, 'notification file holds what kube-git does not know');
    const sinks = [...entries].map(([name, entry]) => [name, sinkOf(entry, this.#options)] as const);
    return { byName: new Map(sinks), secrets: [...entries.values()].flatMap((entry) => entry.secrets) };
  }

  #report(problem: string | undefined): void {
    const { log, path, metrics } = this.#options;
    this.#problem = problem;
    metrics.notificationFileValid.set(problem === undefined ? 1 : 0);
    if (problem === undefined) log.info({ path, entries: [...this.#sinks.byName.keys()] }, 'notification file read');
    else log.error({ path, problem }, 'notification file cannot be used, the last good one is kept');
  }
}

function sinkOf(entry: NotifierEntry, { http, httpGet }: Pick<NotificationFileOptions, 'http' | 'httpGet'>): NamedSink {
  const digest = createHash('sha256').update(JSON.stringify(entry.settings)).digest('hex').slice(0, 16);
  const log = httpGet && entry.openLog?.(httpGet);
  return { notifier: entry.connect(http), digest, ...(log && { log }) };
}

function sameSinks({ byName: before }: Sinks, { byName: after }: Sinks): boolean {
  return before.size === after.size && [...after].every(([name, { digest }]) => before.get(name)?.digest === digest);
}

interface Read {
  readonly kind: 'text' | 'missing' | 'unreadable';
  /** The file's, or why it cannot be read. */
  readonly text: string;
}

/** A Secret is at most 1 MiB. */
const maxBytes = 1024 * 1024;

/** Through whatever symlinks lead to it now: Kubernetes swaps one to change all files of a mount at once. */
async function readText(path: string): Promise<Read> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > maxBytes) return { kind: 'unreadable', text: 'the notification file is larger than 1 MiB' };
    return { kind: 'text', text: bytes.toString('utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'ENOENT') return { kind: 'missing', text: '' };
    return { kind: 'unreadable', text: `the notification file cannot be read: ${code}` };
  }
}
