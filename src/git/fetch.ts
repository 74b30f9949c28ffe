// Reads one file at one commit, at a cost that does not grow with the repository. Called by the controller; must not know of
// Kubernetes or GitHooks. Tries the ways there are, and begins with the one that worked last for the server.
import { type Clock, systemClock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createSlots } from '../slots.ts';
import { createDirectWay, type DirectOptions } from './direct/direct.ts';
import type { Credentials, FileAtCommit, ManifestSource } from './git.ts';
import { defaultLimits, type FetchLimits } from './limits.ts';
import { programWays } from './program.ts';
import { withTimeLimit } from './time-limit.ts';
import { checkCredentials, checkFile } from './validate.ts';
import type { Read, Way } from './way.ts';
import { WorkedBefore } from './worked-before.ts';

export interface ManifestSourceOptions {
  /** An existing folder in which the temporary folders are made. */
  readonly directory: string;
  /** Passwords may be sent over plain http. */
  readonly allowInsecureCredentials: boolean;
  /** A known_hosts file of the installation, read at each fetch. Default: none. */
  readonly knownHostsFile?: string;
  readonly limits?: Partial<FetchLimits>;
  /** kube-git's own environment: PATH, proxies and CA certificates are passed on. Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How servers are asked for single objects. Undefined: the git program is run for everything. */
  readonly direct?: DirectOptions | undefined;
  readonly clock?: Clock;
  readonly log: Log;
}

/** A source. It holds turns, connections, and what it has learnt of servers and read of repositories, in memory. */
export function createManifestSource(options: ManifestSourceOptions): ManifestSource {
  const limits = { ...defaultLimits, ...options.limits };
  const source = { environment: process.env, knownHostsFile: '', clock: systemClock, ...options, limits };
  const slots = createSlots(limits.concurrentReads);
  const direct = options.direct ? [createDirectWay(options.direct, source)] : [];
  const ladder = new Ladder([...direct, ...programWays], source);
  return {
    read: async (file: FileAtCommit, credentials: Credentials, signal: AbortSignal) => {
      const wanted = checkFile(file);
      checkCredentials(wanted, credentials, options.allowInsecureCredentials);
      const read = (limited: AbortSignal) => ladder.readPatiently({ wanted, credentials, source, signal: limited });
      return slots.run(() => withTimeLimit(read, { ms: limits.readMs, url: wanted.url }, signal), signal);
    },
  };
}

class Ladder {
  readonly #ways: readonly Way[];
  readonly #worked: WorkedBefore<Way>;
  readonly #log: Log;

  constructor(ways: readonly Way[], { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#ways = ways;
    this.#worked = new WorkedBefore(clock);
    this.#log = log;
  }

  /** A commit that is not there is looked for again: a forge may tell of a push before all its servers have it. */
  async readPatiently(read: Read): Promise<string> {
    const { clock, limits } = read.source;
    for (const wait of limits.notFoundRetriesMs) {
      const text = await this.#readAnyWay(read);
      if (text !== undefined) return text;
      await clock.sleep(wait, read.signal);
    }
    const text = await this.#readAnyWay(read);
    if (text !== undefined) return text;
    const { commit, url, ref } = read.wanted;
    throw new TerminalError(
      'CommitNotFound',
      `commit ${commit} is not to be had from ${url}: the server does not give it by its id, and ${ref} is gone or does not lead to it any more. Push again`,
    );
  }

  async #readAnyWay(read: Read): Promise<string | undefined> {
    const { url, commit, origin } = read.wanted;
    let isRule = true;
    for (const way of this.#waysFor(read)) {
      const tried = await way.read(read);
      if ('text' in tried) {
        if (isRule) this.#worked.note(origin, way);
        return tried.text;
      }
      isRule &&= tried.refused === 'asARule';
      this.#log.debug({ url, commit, way: way.name }, 'server does not serve the commit this way');
    }
    return undefined;
  }

  #waysFor({ wanted }: Read): readonly Way[] {
    const best = this.#worked.get(wanted.origin);
    const ways = this.#ways.filter((way) => way.fits(wanted));
    return best === undefined ? ways : [best, ...ways.filter((way) => way !== best)];
  }
}
