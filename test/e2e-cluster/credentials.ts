// Private repositories: kube-git in the cluster fetches with what Secrets hold. A part of in-cluster.test.ts; the last ones
// change how kube-git runs.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'node:test';
import { createAuthority } from '../env/certificates.ts';
import { makeKey } from '../env/ssh-server.ts';
import { startTlsFront } from '../env/tls-front.ts';
import type { Installed } from './installed.ts';
import type { InCluster } from './part.ts';

const manifestFile = 'ci/manifest.yaml';

export function credentials({ installed, proves, start }: InCluster): void {
  describe('credentials', () => {
    proves('for ssh are a key from a Secret, and host keys from a ConfigMap', async () => {
      const key = await makeKey('ed25519');
      const metadata = { name: 'ssh' };
      await inNamespace(installed(), 'private', [
        { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: key.privateKey } },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { hosts: installed().gitea.knownHosts } },
      ]);
      const { push, repository, untilStatus, untilSuccess } = await start({
        ...{ namespace: 'private', name: 'ssh', private: true },
        spec: ({ sshUrl }) => ({
          repository: sshUrl,
          sshPrivateKeySecret: { name: 'ssh', key: 'key' },
          knownHosts: { configMapKeyRef: { name: 'ssh', key: 'hosts' } },
        }),
      });
      await installed().gitea.addDeployKey(repository.name, key.publicKey);
      const commit = await push({ [manifestFile]: await installed().example('job.yaml') });
      await untilSuccess(commit);
      await untilStatus(commit, 'success');
    });

    proves(
      'for http are user name and token, over TLS of a private authority; without them nothing is told',
      async (t) => {
        const { cluster, gitea } = installed();
        const authority = createAuthority('A company of the tests');
        await trust(installed(), authority.certificate);
        const pair = authority.issue({ commonName: 'git', names: [cluster.hostAddress] });
        const target = new URL(gitea.url);
        const { port } = await startTlsFront(t, { target, pair, address: cluster.hostAddress });
        const secure = (url: string): string => url.replace(gitea.url, `https://${cluster.hostAddress}:${port}`);

        await inNamespace(installed(), 'private', [
          {
            ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' } },
            stringData: { user: gitea.username, token: gitea.token },
          },
        ]);
        const project = await start({
          ...{ namespace: 'private', name: 'token', private: true },
          spec: ({ httpUrl }) => ({
            repository: secure(httpUrl),
            usernameSecret: { name: 'token', key: 'user' },
            passwordSecret: { name: 'token', key: 'token' },
          }),
        });
        await project.addGitHook('no-token', { repository: secure(project.repository.httpUrl) });
        const commit = await project.push({ [manifestFile]: await installed().example('job.yaml') });
        await project.untilSuccess(commit);
        await project.untilStatus(commit, 'success');
        const refused = await project.untilEnd(commit, { gitHook: 'no-token' });
        assert.deepEqual([refused.status?.phase, refused.status?.reason], ['Failed', 'AuthenticationFailed']);
        await project.untilStatus(commit, 'error', 'no-token');
      },
    );
  });
}

async function inNamespace({ apply }: Installed, name: string, objects: readonly object[]): Promise<void> {
  await apply('default', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await apply(name, ...objects);
}

/** With the kustomization that docs/credentials.md shows, beside install. */
async function trust({ folder, kubectl, pod, rolledOut }: Installed, certificate: string): Promise<void> {
  const page = await readFile(join(import.meta.dirname, '../../docs/credentials.md'), 'utf8');
  const [, shown] = /```yaml\n(# kustomization\.yaml\n[\s\S]*?)```/.exec(page) ?? [];
  assert.ok(shown);
  const company = join(folder, 'company');
  await mkdir(company);
  await writeFile(join(company, 'kustomization.yaml'), shown);
  await writeFile(join(company, 'ca.crt'), certificate);
  await kubectl('apply', '-k', company);
  await rolledOut();
  await pod();
}
