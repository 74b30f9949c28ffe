// docs/install.md and docs/migration.md by copy and paste: their shell blocks in their order, on a cluster of their own, with
// kube-git as the installed account. What a block cannot have here it says in a comment, in words that are listed below.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitHookRun } from '../src/api/githookrun.ts';
import { kubeconfigOf } from './env/accounts.ts';
import { api, testCluster } from './env/cluster.ts';
import { blocksOf, type DocBlock } from './env/doc-blocks.ts';
import { startForge } from './env/forge.ts';
import { type Installation, installOriginal, startInstallation } from './env/installation.ts';
import { startKubeGit } from './env/kube-git.ts';
import { jobManifest } from './env/scenario.ts';
import { waitFor } from './env/wait.ts';

/** The whole file, on a machine with much else to do; it takes half a minute alone. */
const timeout = 400_000;
const skip = testCluster().controllers ? false : 'there is no controller manager';
const group = '/apis/kubegit.appspero.com/v1alpha1';

/** Why a block is not run: what the cluster of this test does not have. */
const reasons = [
  'needs a registry',
  'needs a node',
  'needs a namespace that the other commands of this page do not use',
];

const pages = { install: blocksOf('install.md'), migration: blocksOf('migration.md') };

describe('the blocks of the task pages', () => {
  it('are left out only for reasons that are known here', () => {
    const given = [...pages.install, ...pages.migration].flatMap(({ reason }) => reason ?? []);
    assert.deepEqual([...new Set(given)].sort(), [...reasons].sort());
  });

  it('are mostly run', () => {
    const run = (blocks: readonly DocBlock[]): number => blocks.filter(({ reason }) => reason === undefined).length;
    assert.ok(run(pages.install) >= 13, `${run(pages.install)} of install.md`);
    assert.ok(run(pages.migration) >= 8, `${run(pages.migration)} of migration.md`);
  });
});

describe('docs by copy and paste', { skip, timeout }, () => {
  let installation: Installation;

  before(async () => {
    installation = await startInstallation();
  });
  after(() => installation?.stop());

  async function follow(blocks: readonly DocBlock[], from: string, to = from): Promise<string> {
    const headings = [...new Set(blocks.map(({ heading }) => heading))];
    const wanted = headings.slice(headings.indexOf(from), headings.indexOf(to) + 1);
    assert.ok(wanted.length > 0, `no heading ${from}`);
    let output = '';
    for (const { heading, script, reason } of blocks) {
      if (wanted.includes(heading) && reason === undefined) output += (await installation.shell(script)).stdout;
    }
    return output;
  }

  /** kube-git as the Deployment would start it: the Secrets' content, the installed account. */
  async function startInstalled(t: { after(fn: () => unknown): void }): Promise<{ url: string; secret: string }> {
    const secretOf = async (name: string, key: string): Promise<string> => {
      const { data } = await api<{ data: Record<string, string> }>('GET', `/api/v1/namespaces/default/secrets/${name}`);
      return Buffer.from(data[key] ?? '', 'base64').toString();
    };
    const secret = await secretOf('kube-git-webhook', 'GITHUB_WEBHOOK_SECRET');
    assert.ok(secret.length > 20);
    const kubeconfig = await kubeconfigOf(t, { namespace: 'default', name: 'kube-git' });
    const notifications = await secretOf('kube-git-notification', 'notification.yaml');
    const args = ['-default-service-account=kube-git-runner'];
    const kubeGit = await startKubeGit(t, { kubeconfig, secret, notifications, args });
    return { url: `${kubeGit.url}/github`, secret };
  }

  /** Pushes to a forge of our own, which the page's GitHook is made to name, and waits for the run to have its Job. */
  async function pushRuns(
    t: { after(fn: () => unknown): void },
    { url, secret }: { url: string; secret: string },
    { namespace, name, manifest }: { namespace: string; name: string; manifest: string },
  ): Promise<void> {
    const forge = await startForge({ secret });
    t.after(() => forge.stop());
    const repository = await forge.createRepository('acme/app');
    await forge.addWebhook(url);
    const path = `${group}/namespaces/${namespace}`;
    await api('PATCH', `${path}/githooks/${name}`, { spec: { repository: repository.url, manifest } });
    const push = async (): Promise<GitHookRun | undefined> => {
      const before = (await repository.ref('refs/heads/main')) ?? '0'.repeat(40);
      const after = await repository.commit({ [manifest]: jobManifest, now: `${Date.now()}` }, { branch: 'main' });
      await forge.announce({ repository: repository.name, ref: 'refs/heads/main', before, after });
      const { items } = await api<{ items: GitHookRun[] }>('GET', `${path}/githookruns`);
      return items.find(({ status }) => status?.resource?.uid !== undefined);
    };
    // The watch may show the changed GitHook a moment after the first push.
    await waitFor(push, { what: 'a push to create its Job', deadlineMs: 60_000, everyMs: 500 });
  }

  it('docs/install.md gives a run', async (t) => {
    await follow(pages.install, 'Install it', 'Allow it in a namespace');
    await installation.startControllers();
    const running = await startInstalled(t);
    await follow(pages.install, 'The first run');
    await pushRuns(t, running, { namespace: 'my-team', name: 'app', manifest: 'ci/job.yaml' });
  });

  it('docs/install.md changes to the overlay and back, upgrades and uninstalls', async () => {
    await follow(pages.install, 'Variants', 'Upgrade');
    const jobs = async () => (await api<{ items: object[] }>('GET', '/apis/batch/v1/namespaces/my-team/jobs')).items;
    assert.ok((await jobs()).length > 0);
    await follow(pages.install, 'Uninstall');
    const { stdout } = await installation.shell(
      'kubectl get all,crd,networkpolicy,pdb,ingress,secret,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding -A -l k8s-app=kube-git -o name; kubectl get crd -o name',
    );
    assert.equal(stdout, '');
    await waitFor(async () => (await jobs()).length === 0, { what: 'the Jobs to be collected', deadlineMs: 90_000 });
  });

  it('docs/migration.md switches over to a run, and back', async (t) => {
    await installation.shell('rm install/secrets/webhook.env install/secrets/notification.yaml');
    await installOriginal(installation);
    await follow(pages.migration, 'Switch over');
    const running = await startInstalled(t);
    assert.equal(running.secret, 'a-secret-of-2019-that-is-long');
    await installation.shell('kubectl wait githook/githook-example -n ci --for=condition=Ready --timeout=60s');
    await pushRuns(t, running, { namespace: 'ci', name: 'githook-example', manifest: 'ci/job.yaml' });
    await follow(pages.migration, 'Go back');
    const { stdout } = await installation.shell('kubectl get deployment kube-git -n default -o yaml');
    assert.match(stdout, /abdullahalmariah\/kube-git:1\.0\.0/);
  });
});
