// A repository that is reached over a real sshd, and a source that reads from it: for the tests of ssh in src/git.
import type { TestContext } from 'node:test';
import type { Credentials, FileAtCommit } from '../../src/git/git.ts';
import { type SourceFixture, type SourceSettings, testSource } from './git-fixture.ts';
import { type GitServerOptions, type Repository, startGitServer } from './git-server.ts';
import { type ClientKey, makeKey, type SshServer, type SshServerOptions, startSshServer } from './ssh-server.ts';
import type { Sshd } from './sshd.ts';

export interface SshFixture extends SourceFixture {
  readonly server: SshServer;
  /** Written to on disk; its `url` is not used. */
  readonly repository: Repository;
  readonly url: string;
  /** The key that may log in. */
  readonly key: ClientKey;
  /** Those that work. */
  readonly credentials: { readonly sshPrivateKey: string; readonly knownHosts: string };
}

export interface SshFixtureOptions {
  readonly settings?: SourceSettings;
  readonly sshd?: Partial<SshServerOptions>;
  readonly git?: GitServerOptions;
  /** Of the object ids. Default sha1. */
  readonly format?: 'sha1' | 'sha256';
}

/** The repository acme/app. read() reads from it with the credentials that work, unless told otherwise. */
export async function testSshRepository(
  t: TestContext,
  sshd: Sshd,
  options: SshFixtureOptions = {},
): Promise<SshFixture> {
  const git = await startGitServer(options.git);
  t.after(() => git.stop());
  const repository = await git.createRepository('acme/app', options.format);
  const key = await makeKey('ed25519');
  const server = await startSshServer(t, sshd, { root: git.root, authorizedKeys: [key.publicKey], ...options.sshd });
  const source = await testSource(t, options.settings);
  const url = server.url('acme/app');
  const kind = options.sshd?.hostKeys?.[0] ?? 'ed25519';
  const credentials = { sshPrivateKey: key.privateKey, knownHosts: await server.knownHost(kind) };
  const read = (file: Partial<FileAtCommit>, given: Credentials = credentials, signal?: AbortSignal) =>
    source.read({ url, ...file }, given, signal);
  return { ...source, server, repository, url, key, credentials, read };
}
