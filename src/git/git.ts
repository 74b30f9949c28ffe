// One file of a repository at one commit. Called by the controller; must not know of Kubernetes or GitHooks.

export interface FileAtCommit {
  /** The clone URL as written in the GitHook: http(s), ssh or user@host:path. */
  readonly url: string;
  /** Full object id of the commit, 40 or 64 hex digits. */
  readonly commit: string;
  /** The ref that was pushed: the last resort of servers that do not serve commits by id. */
  readonly ref: string;
  /** The file's path from the root of the repository; a leading ./ or / is fine. */
  readonly path: string;
}

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** OpenSSH's format or PEM. */
  readonly sshPrivateKey?: string;
  /** Lines of a known_hosts file, in addition to those that are known anyway. */
  readonly knownHosts?: string;
}

export interface ManifestSource {
  /**
   * The text of the file. Throws TerminalError where a person must change something (ManifestNotFound, NotAFile,
   * Symlink, ManifestTooLarge, NotText, InvalidPath, InvalidCommit, InvalidRef, CommitNotFound, RepositoryNotFound,
   * RepositoryTooLarge, UnsafeObjects, AuthenticationFailed, Redirected, InsecureCredentials, InvalidRepository,
   * KeyInvalid, KeyEncrypted, KnownHostsInvalid, HostKeyUnknown, HostKeyMismatch), WaitingError where it may work later (RepositoryUnreachable, RepositoryTooSlow, RateLimited,
   * FetchFailed). On abort it rejects with the signal's reason. Safe to call concurrently. Leaves nothing on disk or
   * running, also on abort.
   */
  read(file: FileAtCommit, credentials: Credentials, signal: AbortSignal): Promise<string>;
}

/** What a server says of its branches and tags. */
export interface RefList {
  /** By full ref, refs/heads/… and refs/tags/… only; in no order. */
  readonly refs: ReadonlyMap<string, ListedRef>;
}

export interface ListedRef {
  /** What the ref points at: of an annotated tag the tag object. */
  readonly id: string;
  /** What an annotated tag stands for; the same as id for everything else. */
  readonly peeled: string;
}

/** Of a commit, as its author wrote it: untrusted. Empty where the server does not give it by its id. */
export interface CommitWords {
  readonly author: string;
  /** The first line of the message. */
  readonly message: string;
}

/**
 * Both throw TerminalError where a person must change something (InvalidRepository, InsecureCredentials, AuthenticationFailed,
 * RepositoryNotFound, Redirected, TooManyRefs and those about ssh), WaitingError where it may work later, and the
 * signal's reason when it is aborted. Safe to call concurrently. Leave nothing on disk or running.
 */
export interface RefSource {
  /** All branches and tags. Costs one connection, whatever the history. */
  list(url: string, credentials: Credentials, signal: AbortSignal): Promise<RefList>;
  /** The full ref of the default branch; undefined where the server does not say, or the repository is empty. */
  defaultBranch(url: string, credentials: Credentials, signal: AbortSignal): Promise<string | undefined>;
  /** Author and message of a commit; undefined where the object is no commit. Brings no files. */
  describe(
    commit: { readonly url: string; readonly id: string },
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<CommitWords | undefined>;
}
