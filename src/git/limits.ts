// What one read may cost. Called by the manifest source; tests bring smaller numbers.

export interface FetchLimits {
  /** Reads at the same time, over all repositories. */
  readonly concurrentReads: number;
  /** Lists of refs at the same time, over all repositories. */
  readonly concurrentLists: number;
  /** What a list of refs may have. */
  readonly listedRefs: number;
  readonly listBytes: number;
  /** Wall clock of one read, from the moment it has its turn. */
  readonly readMs: number;
  /** How long a server may send (next to) nothing before git gives up on it. */
  readonly silentSeconds: number;
  /** The manifest. */
  readonly fileBytes: number;
  /** Any file git writes while it fetches, above all the pack. */
  readonly packBytes: number;
  /** Virtual memory of each git process. */
  readonly memoryBytes: number;
  /** How far back from the tip of the ref the commit is looked for where a server does not serve commits by id. */
  readonly refDepth: number;
  /** Waits before a commit that is not there is looked for again. */
  readonly notFoundRetriesMs: readonly number[];
}

const mebibyte = 1024 * 1024;

export const defaultLimits: FetchLimits = {
  concurrentReads: 8, // one read takes 11 MB and well under a second where the server serves commits by id
  concurrentLists: 4, // nobody waits for them
  listedRefs: 100_000, // 6 bytes of each are kept in a ConfigMap, which holds 1 MiB
  listBytes: 32 * mebibyte, // an annotated tag takes two lines of 41 bytes and its name
  readMs: 60_000, // a shallow clone of a large repository from a slow server; git itself never gives up on a slow one
  silentSeconds: 10, // a server that prepares a pack says so every few seconds, but in few bytes: not much shorter
  fileBytes: 512 * 1024, // design: a manifest over that is a mistake, and etcd takes 1.5 MiB at most
  packBytes: 512 * mebibyte, // the fallback fetches the whole tree of one commit: large repositories fit, endless answers do not
  memoryBytes: 1024 * mebibyte, // git holds a tree or a commit in memory whole; a server may claim any size
  refDepth: 20, // pushes that came in between, not the history
  notFoundRetriesMs: [1_000, 4_000], // a forge's webhook may be ahead of the replica that answers the fetch
};
