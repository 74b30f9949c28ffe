// The two ways to write a repository that is reached over ssh, each from the delivery to the Job, with host keys that whoever
// runs kube-git has given for all GitHooks.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { api } from '../env/cluster.ts';
import { forgeSamples } from '../env/forge-samples.ts';
import { webhookSecret } from '../env/kube-git.ts';
import { pushPayload } from '../env/receiver.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { makeKey, type SshServer, startSshServer } from '../env/ssh-server.ts';
import { findSshd } from '../env/sshd.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;
const [github] = forgeSamples;

/** A forge whose ssh server is on another host than its pages: the delivery names that host. */
async function deliver(s: Scenario, sshUrl: string, after: string): Promise<string> {
  const host = sshUrl.replace(/^(?:ssh:\/\/)?\w+@([^:/]+).*$/, '$1');
  const payload = pushPayload({ after });
  const repository = { ...payload.repository, ssh_url: sshUrl, clone_url: `https://${host}/acme/app.git` };
  const { headers, body } = github!.deliver(JSON.stringify({ ...payload, repository }), { secret: webhookSecret });
  const sent = { method: 'POST', headers: headers as Record<string, string>, body: body as Uint8Array<ArrayBuffer> };
  const answer = await fetch(`${s.kubeGit.url}/github`, sent);
  return ((await answer.json()) as { reason: string }).reason;
}

async function start(t: TestContext): Promise<{ s: Scenario; server: SshServer; knownHosts: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-known-hosts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const knownHosts = join(folder, 'known_hosts');
  const s = await startScenario(t, { args: ['-ssh-known-hosts-file', knownHosts] });
  const key = await makeKey('ed25519');
  const root = s.repository.path.slice(0, -`/${s.repository.name}.git`.length);
  const server = await startSshServer(t, sshd, { root, authorizedKeys: [key.publicKey] });
  const secret = { metadata: { name: 'deploy' }, stringData: { key: key.privateKey } };
  await api('POST', `/api/v1/namespaces/${s.namespace}/secrets`, secret);
  return { s, server, knownHosts };
}

describe('a repository over ssh', { skip }, () => {
  for (const form of ['url', 'scp'] as const) {
    it(`written as ${form === 'url' ? 'ssh://git@host:port/path' : 'git@host:path'} runs its Job`, async (t) => {
      const { s, server, knownHosts } = await start(t);
      const repository = form === 'url' ? server.url('acme/app') : server.scpUrl('acme/app');
      if (repository === undefined) return t.skip('port 22 needs root');
      await s.gitHook('app', { repository, sshPrivateKeySecret: { name: 'deploy', key: 'key' }, notification: {} });
      // Read at each fetch: it was not there at the start.
      await writeFile(knownHosts, `# ours\n${await server.knownHost('ed25519', form)}\n`);
      const commit = await s.repository.commit({ 'job.yaml': jobManifest });
      assert.equal(await deliver(s, repository, commit), 'RunsCreated');
      const run = await s.untilRun(commit, ({ status }) => status?.phase === 'Running', 'Running');
      assert.equal(run.spec.repository, repository);
    });
  }
});
