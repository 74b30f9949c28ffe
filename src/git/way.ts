// How a file can be had from a server: direct/ asks for single objects, program.ts runs the git program in three ways. The
// manifest source tries them in turn.
import type { Clock } from '../clock.ts';
import type { Credentials } from './git.ts';
import type { FetchLimits } from './limits.ts';
import type { Wanted } from './validate.ts';

/** What one read needs, checked. */
export interface Read {
  readonly wanted: Wanted;
  readonly credentials: Credentials;
  readonly source: {
    /** An existing folder in which temporary folders are made. */
    readonly directory: string;
    /** A known_hosts file of the installation; '' for none. */
    readonly knownHostsFile: string;
    /** kube-git's own environment. */
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly clock: Clock;
    readonly limits: FetchLimits;
  };
  readonly signal: AbortSignal;
}

/**
 * What came of a try: the text; or that the server does not serve the commit this way, be it as a rule or that nothing can be
 * said of it, as after a connection that broke.
 */
export type Tried = { readonly text: string } | { readonly refused: 'asARule' | 'thisTime' };

export interface Way {
  readonly name: string;
  /** Whether it is worth a try for such a repository. */
  fits(wanted: Wanted): boolean;
  /**
   * Tries it; where it is refused another way may work. Throws what ManifestSource.read throws. Leaves nothing on disk or
   * running, also on abort.
   */
  read(read: Read): Promise<Tried>;
}
