// A manifest source with a git server before it, for the tests of src/git: short limits, a log that can be read, and
// the proof that nothing is left on disk.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createManifestSource } from '../../src/git/fetch.ts';
import type { Credentials, FileAtCommit } from '../../src/git/git.ts';
import type { FetchLimits } from '../../src/git/limits.ts';
import type { Log } from '../../src/log.ts';
import { type GitServer, type GitServerOptions, type Repository, startGitServer } from './git-server.ts';

export interface SourceFixture {
  /** Where the temporary folders are made. */
  readonly directory: string;
  /** Everything that was logged, as JSON. */
  readonly lines: string[];
  read(file: Partial<FileAtCommit>, credentials?: Credentials, signal?: AbortSignal): Promise<string>;
}

export interface SourceSettings {
  readonly limits?: Partial<FetchLimits>;
  readonly allowInsecureCredentials?: boolean;
  readonly knownHostsFile?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whether servers are asked for single objects first. Default: yes. */
  readonly direct?: boolean;
}

export const anyCommit = '0123456789abcdef0123456789abcdef01234567';

/** A source whose folder is removed after the test. */
export async function testSource(t: TestContext, settings: SourceSettings = {}): Promise<SourceFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'kube-git-fetch-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const lines: string[] = [];
  const write = (...line: unknown[]) => void lines.push(JSON.stringify(line));
  const source = createManifestSource({
    directory,
    allowInsecureCredentials: settings.allowInsecureCredentials ?? true,
    knownHostsFile: settings.knownHostsFile ?? '',
    environment: settings.environment ?? { PATH: process.env['PATH'] },
    limits: { notFoundRetriesMs: [], ...settings.limits },
    direct: settings.direct === false ? undefined : { ca: undefined, userAgent: 'kube-git/test' },
    log: { debug: write, info: write, warn: write, error: write } as unknown as Log,
  });
  return {
    directory,
    lines,
    read: (file, credentials = {}, signal = new AbortController().signal) =>
      source.read(
        { url: 'http://127.0.0.1:1/a/b.git', commit: anyCommit, ref: 'refs/heads/main', path: 'ci/job.yaml', ...file },
        credentials,
        signal,
      ),
  };
}

export interface GitFixture extends SourceFixture {
  readonly server: GitServer;
  readonly repository: Repository;
}

/** A server with the empty repository acme/app, and a source that reads from it unless told otherwise. */
export async function testRepository(
  t: TestContext,
  options: GitServerOptions = {},
  settings: SourceSettings = {},
): Promise<GitFixture> {
  const server = await startGitServer(options);
  t.after(() => server.stop());
  const repository = await server.createRepository('acme/app');
  const source = await testSource(t, settings);
  return {
    ...source,
    server,
    repository,
    read: (file, credentials, signal) => source.read({ url: repository.url, ...file }, credentials, signal),
  };
}

/** The temporary folders a read has left behind. */
export function leftovers(fixture: SourceFixture): Promise<string[]> {
  return readdir(fixture.directory);
}

/** Waits for a condition; throws when it does not come about in ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface RunningProcess {
  readonly commandLine: string;
  readonly environment: string;
}

/** The processes whose working folder is in the fixture's: all that the source has started and that still run. */
export function processesOf({ directory }: SourceFixture): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(directory)) return [];
        const [commandLine = '', environment = ''] = ['cmdline', 'environ'].map((file) =>
          readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' '),
        );
        return environment === '' ? [] : [{ commandLine, environment }]; // empty: it is ending
      } catch {
        return []; // ended meanwhile
      }
    });
}
