// docs/credentials.md from top to bottom: its commands are run, its GitHooks applied, and a push runs. Only the server's
// address is another.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import type { GitHook } from '../../src/api/githook.ts';
import { kubectl } from '../env/binaries.ts';
import { blocksIn, readPage, shell } from '../env/page.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { startSshServer } from '../env/ssh-server.ts';
import { findSshd } from '../env/sshd.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;
const root = join(import.meta.dirname, '../..');
const page = await readPage('docs/credentials.md');
const blocks = (language: string): string[] => blocksIn(page, language);

describe('docs/credentials.md', () => {
  it('leads to a push that runs over ssh, and again after the key was changed', { skip }, async (t) => {
    const s = await startScenario(t);
    const folder = s.repository.path.slice(0, -`/${s.repository.name}.git`.length);
    const server = await startSshServer(t, sshd, { root: folder, authorizedKeys: [] });
    const here = (text: string): string =>
      text.replaceAll('git.example.com', '127.0.0.1').replaceAll('2222', `${server.port}`);
    const run = await shell(t, s.namespace);
    const [token = '', key = '', hosts = '', change = ''] = blocks('sh');
    await run(token);
    await server.authorize([await run(key)]);
    assert.match(await run(here(hosts)), /256 SHA256:\S+ \[?127\.0\.0\.1.* \(ED25519\)/);
    const gitHooks = blocks('yaml').map((text) => load(here(text)) as GitHook);
    const { spec, metadata } = gitHooks.find(({ metadata }) => metadata.name === 'app-by-key')!;
    const user = new URL(server.url('x')).username;
    await s.gitHook(metadata.name ?? '', { ...spec, repository: spec.repository.replace('//git@', `//${user}@`) });
    const first = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(first, ({ status }) => status?.phase === 'Running', 'Running');

    await run(change);
    await server.authorize([await run('cat next-key.pub')]);
    const second = await s.push({ 'job.yaml': jobManifest, second: '' });
    await s.untilRun(second, ({ status }) => status?.phase === 'Running', 'Running');
    assert.equal(blocks('sh').length, 4);
  });

  it('says how a push that failed for its Secret is run: deleted and delivered again, not delivered again alone', async (t) => {
    const s = await startScenario(t);
    const run = await shell(t, s.namespace);
    await s.gitHook('app', { passwordSecret: { name: 'git-token', key: 'token' } });
    const commit = await s.push({ 'job.yaml': jobManifest });
    const failed = await s.untilRun(commit, ({ status }) => status?.reason === 'SecretNotFound', 'SecretNotFound');
    await run(blocks('sh')[0] ?? '');
    const again = () => s.forge.redeliver(s.forge.deliveries.at(-1)?.id ?? '');
    assert.match((await again()).answer?.body ?? '', /"Duplicate"/);
    const [, remove = ''] = /`(kubectl delete githookrun NAME)`/.exec(page) ?? [];
    await run(remove.replace('NAME', failed.metadata.name ?? ''));
    assert.match((await again()).answer?.body ?? '', /"RunsCreated"/);
    const second = await s.untilRun(commit, ({ metadata }) => metadata.uid !== failed.metadata.uid, 'another');
    // The forge of the tests asks for no token: http without TLS gets none.
    await s.untilRun(commit, ({ status }) => status?.reason === 'InsecureCredentials', 'past the Secret');
    assert.equal(second.metadata.name, failed.metadata.name);
  });

  it('mounts the certificate authority into the installation', async (t) => {
    const folder = await mkdtemp(join(root, 'docs/.page-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const text = blocks('yaml').find((block) => block.includes('kind: Kustomization')) ?? '';
    await writeFile(join(folder, 'kustomization.yaml'), text.replace('../install', '../../install'));
    await writeFile(join(folder, 'ca.crt'), 'x');
    const built = await kubectl(['kustomize', folder]);
    assert.match(built, /- -ca-file=\/etc\/company-ca\/ca\.crt/);
    assert.match(built, /mountPath: \/etc\/company-ca\n\s+name: company-ca/);
    assert.match(built, /configMap:\n\s+name: company-ca-\w+\n\s+name: company-ca/);
  });
});
