// Every rung of the ladder against the servers that need it. Gitea has its own: test/env/gitea/fetch.test.ts.
import type { TestContext } from 'node:test';
import { type Rung, testRung } from '../../test/env/fetch-contract.ts';
import { testSource } from '../../test/env/git-fixture.ts';
import type { Repository } from '../../test/env/git-repository.ts';
import { type GitServerOptions, startGitServer } from '../../test/env/git-server.ts';
import { testSshRepository } from '../../test/env/ssh-fixture.ts';
import type { SshServerOptions } from '../../test/env/ssh-server.ts';
import { findSshd } from '../../test/env/sshd.ts';

const sshd = await findSshd();
const skip = typeof sshd === 'string' ? sshd : false;
const byId = ['objects', 'commit without blobs'];
const byRef = [...byId, 'commit'];

interface Settings extends GitServerOptions {
  readonly format?: 'sha1' | 'sha256';
  readonly direct?: boolean;
  readonly filters?: false;
}

async function overHttp(t: TestContext, { format, direct = true, filters, ...options }: Settings): Promise<Rung> {
  const server = await startGitServer(options);
  t.after(() => server.stop());
  const repository = await server.createRepository('acme/app', format);
  if (filters === false) await refuseFilters(repository);
  const source = await testSource(t, { direct });
  const missingUrl = `${server.url}/acme/none.git`;
  const read: Rung['read'] = (file) => source.read({ url: repository.url, ...file }, options.credentials);
  return { ...source, repository, url: repository.url, missingUrl, read };
}

interface SshSettings {
  readonly format?: 'sha1' | 'sha256';
  readonly git?: GitServerOptions;
  readonly sshd?: Partial<SshServerOptions>;
  readonly direct?: boolean;
  readonly filters?: false;
}

async function overSsh(t: TestContext, { direct = true, filters, ...options }: SshSettings): Promise<Rung> {
  if (typeof sshd === 'string') throw new Error(sshd);
  const fixture = await testSshRepository(t, sshd, { ...options, settings: { direct } });
  if (filters === false) await refuseFilters(fixture.repository);
  return { ...fixture, missingUrl: fixture.server.url('acme/none') };
}

async function refuseFilters(repository: Repository): Promise<void> {
  await repository.git(['config', 'uploadpack.allowFilter', 'false']);
}

const credentials = { username: 'ada', password: 'secret' };

testRung('GitHub', { refused: [], open: (t) => overHttp(t, { credentials }) });
testRung('GitHub, with the git program', { refused: [], open: (t) => overHttp(t, { credentials, direct: false }) });
testRung('a repository with SHA-256 ids', { refused: [], open: (t) => overHttp(t, { format: 'sha256' }) });
testRung('a server without filters', { refused: byId.slice(0, 1), open: (t) => overHttp(t, { filters: false }) });
testRung('an old server with protocol 0', { refused: byRef, open: (t) => overHttp(t, { like: 'old' }) });
testRung('ssh', { skip, refused: [], open: (t) => overSsh(t, {}) });
testRung('ssh, with the git program', { skip, refused: [], open: (t) => overSsh(t, { direct: false }) });
testRung('ssh, with SHA-256 ids', { skip, refused: [], open: (t) => overSsh(t, { format: 'sha256' }) });
testRung('ssh without filters', { skip, refused: byId.slice(0, 1), open: (t) => overSsh(t, { filters: false }) });
testRung('ssh with protocol 0', {
  skip,
  refused: byId.slice(0, 1),
  open: (t) => overSsh(t, { sshd: { like: 'old' } }),
});
testRung('an old server over ssh', {
  skip,
  refused: byRef,
  open: (t) => overSsh(t, { git: { like: 'old' }, sshd: { like: 'old' } }),
});
