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
