// The other ways to install, and the way out, with the commands of docs/install.md. A part of in-cluster.test.ts, and the
// last one: it takes kube-git away.
import assert from 'node:assert/strict';
import { describe, type TestContext } from 'node:test';
import type { KubeObject } from '../../src/api/object.ts';
import { callApi } from '../env/api.ts';
import { blocksOf } from '../env/doc-blocks.ts';
import { waitFor } from '../env/wait.ts';
import { startGate } from './gate.ts';
import { deadlineMs } from './observing.ts';
import type { InCluster } from './part.ts';

const manifestFile = 'ci/manifest.yaml';
/** examples/job.yaml has an hour of its own. */
const [ownTtl, handOverTtl] = [3600, 30 * 24 * 3600];

interface Job extends KubeObject {
  readonly spec: { readonly ttlSecondsAfterFinished?: number };
}

export function variants({ installed, proves, start }: InCluster): void {
  /** The kubectl commands of docs/install.md under the heading that speak of `about`; `my-team` is the namespace given. */
  async function follow(heading: string, about: RegExp, namespace: string): Promise<void> {
    const blocks = blocksOf('install.md').filter((block) => block.heading === heading && about.test(block.script));
    const commands = blocks.flatMap(({ script }) => script.split('\n').filter(Boolean));
    assert.ok(commands.length > 0, `no commands on ${about}`);
    for (const command of commands) {
      const [program, ...args] = command.replaceAll('my-team', namespace).split(' ');
      assert.equal(program, 'kubectl', command);
      await installed().kubectl(...args);
    }
  }

  /** A Job that goes on until the test opens the gate. */
  async function gatedJob(t: TestContext): Promise<{ text: string; open(): void }> {
    const gate = await startGate(t, installed().cluster.hostAddress);
    const waiting = `- until wget -q -O /dev/null ${gate.url}; do sleep 1; done; echo`;
    return { text: (await installed().example('job.yaml')).replace('- echo', waiting), open: gate.open };
  }

  const isRunning = ({ status }: { status?: { phase?: string } }) => status?.phase === 'Running';
  const names = async (...what: string[]) =>
    (await installed().kubectl('get', ...what, '-o', 'name')).split('\n').filter(Boolean);

  describe('variants of the installation', () => {
    proves(
      'for one tenant runs pushes in a namespace without install/tenant, and no more after the way back',
      async (t) => {
        // However it ends: the next test is about another installation.
        t.after(() => installed().kubectl('apply', '-k', 'install'));
        await follow('Variants', /overlays\/cluster-wide/, 'overlay');
        await installed().rolledOut();
        const project = await start({ namespace: 'overlay', name: 'overlay', tenant: false, ready: 'True' });
        const manifest = await installed().example('job.yaml');
        const commit = await project.push({ [manifestFile]: manifest });
        await project.untilSuccess(commit);
        await project.untilStatus(commit, 'success');

        await follow('Variants', /delete clusterrole,clusterrolebinding kube-git-cluster-wide/, 'overlay');
        await installed().rolledOut();
        await project.addWebhook();
        const { status } = await project.untilEnd(await project.push({ [manifestFile]: `${manifest}\n` }));
        assert.deepEqual([status?.phase, status?.reason], ['Failed', 'NoPermission'], status?.message);
      },
    );

    proves('that is taken away alone leaves what runs, and goes on with it when it is back', async (t) => {
      const project = await start({ namespace: 'away', name: 'away' });
      const job = await gatedJob(t);
      const commit = await project.push({ [manifestFile]: job.text });
      await project.untilRun(commit, isRunning);
      await follow('Uninstall', /^kubectl delete deployment,/, 'away');
      const own = ['all,secret,serviceaccount,role,rolebinding', '-n', 'default', '-l', 'k8s-app=kube-git'];
      await waitFor(async () => (await names(...own)).length === 0, { what: 'kube-git to go', deadlineMs });
      assert.equal((await names('githooks,githookruns,jobs', '-n', 'away')).length, 3);

      const missed = await project.push({ [manifestFile]: `${job.text}\n` });
      job.open();
      const jobs = () => project.list<Job>('apis/batch/v1', 'jobs');
      await installed().kubectl('wait', 'job', '--all', '-n', 'away', '--for=condition=Complete', '--timeout=240s');
      const [left] = await jobs();
      assert.equal(left?.spec.ttlSecondsAfterFinished, handOverTtl);

      await installed().kubectl('apply', '-k', 'install/secrets');
      await installed().kubectl('apply', '-k', 'install');
      await installed().rolledOut();
      const made = await project.untilSuccess(commit);
      assert.equal(made.metadata.uid, left?.metadata.uid);
      await project.untilStatus(commit, 'success');
      const handedBack = async () => (await jobs())[0]?.spec.ttlSecondsAfterFinished === ownTtl;
      await waitFor(handedBack, { what: "the Job's own clean-up time", deadlineMs });
      // No webhook told of this one: it is found when refs are compared.
      const found = await project.untilEnd(missed);
      assert.deepEqual([found.status?.phase, found.spec.source], ['Succeeded', 'Poll']);
    });

    proves(
      'that is taken away with everything takes GitHooks, runs and running Jobs along, and leaves the rest',
      async (t) => {
        const project = await start({ namespace: 'gone', name: 'gone' });
        const job = await gatedJob(t);
        await project.untilRun(await project.push({ [manifestFile]: job.text }), isRunning);
        await installed().apply('gone', { ...bareJob, metadata: { name: 'of-a-person' } });
        await follow('Uninstall', /^kubectl delete -k install --ignore-not-found/, 'gone');
        await waitFor(async () => (await names('jobs,pods', '-n', 'gone')).length <= 2, {
          what: 'the Job to go',
          deadlineMs,
        });
        assert.deepEqual(await names('jobs', '-n', 'gone'), ['job.batch/of-a-person']);
        assert.deepEqual(await names('crds', '-l', 'k8s-app=kube-git'), []);
        assert.equal(
          (await names('crds')).some((name) => name.includes('kubegit')),
          false,
        );
        assert.deepEqual(await names('serviceaccounts,roles,rolebindings', '-n', 'gone', '-l', 'k8s-app=kube-git'), []);
        const secrets = await names('secrets', '-n', 'default', '-l', 'k8s-app=kube-git');
        assert.deepEqual(secrets, ['secret/kube-git-notification', 'secret/kube-git-webhook']);
      },
    );

    proves('in a namespace of its own runs pushes', async () => {
      await installed().kubectl('create', 'namespace', 'apart');
      await follow('Variants', /overlays\/own-namespace/, 'apart');
      await installed().rolledOut('kube-git');
      const project = await start({
        namespace: 'apart',
        name: 'apart',
        tenant: false,
        ready: 'True',
        home: 'kube-git',
      });
      const commit = await project.push({ [manifestFile]: await installed().example('job.yaml') });
      await project.untilSuccess(commit);
      await project.untilStatus(commit, 'success');
      await assert.rejects(
        callApi(installed().cluster, 'GET', '/apis/apps/v1/namespaces/default/deployments/kube-git'),
      );
    });
  });
}

/** Nobody's but a person's. */
const bareJob = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  spec: {
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox', command: ['true'] }] },
    },
  },
};
