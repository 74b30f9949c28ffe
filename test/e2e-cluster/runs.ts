// Pushes to a real Gitea, and the pods and commit statuses they come to. A part of in-cluster.test.ts.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { KubeObject } from '../../src/api/object.ts';
import { waitFor } from '../env/wait.ts';
import { startGate } from './gate.ts';
import type { InCluster } from './part.ts';

export function runs({ installed, proves, start }: InCluster): void {
  describe('runs', () => {
    proves('runs a Job on a push to Gitea, and its commit is shown as a success', async () => {
      const { push, untilEnd, untilStatus } = await start({ namespace: 'team', name: 'job', door: '/github' });
      const commit = await push({ 'ci/manifest.yaml': await installed().example('job.yaml') });
      const { status } = await untilEnd(commit);
      assert.deepEqual([status?.phase, status?.reason], ['Succeeded', 'Completed'], status?.message);
      const name = status?.resource?.name ?? '';
      assert.equal(await installed().kubectl('logs', '-n', 'team', `job/${name}`), `building ${commit} of main\n`);
      const told = await untilStatus(commit, 'success');
      assert.equal(told.context, 'kube-git/team/job');
      assert.equal(told.target_url, `https://argo.example.com/workflows/team/${name}`);
    });

    proves('runs a Workflow of two steps on a branch and on a tag, with commit and ref in its parameters', async () => {
      await installed().kubectl('create', 'namespace', 'flows');
      await installed().kubectl('apply', '-n', 'flows', '-f', 'examples/workflow-account.yaml');
      const argoWorkflow = { revisionParameterName: 'revision', branchParameterName: 'branch' };
      const project = await start({ namespace: 'flows', name: 'workflow', spec: () => ({ argoWorkflow }) });
      const commit = await project.push({ 'ci/manifest.yaml': await installed().example('workflow.yaml') });
      const ends = async (ref: string): Promise<void> => {
        const { status } = await project.untilEnd(commit, { ref });
        assert.equal(status?.phase, 'Succeeded', status?.message);
        const workflows = await project.list<Workflow>('apis/argoproj.io/v1alpha1', 'workflows');
        const workflow = workflows.find(({ metadata }) => metadata.name === status?.resource?.name);
        assert.deepEqual(workflow?.spec.arguments.parameters, [
          { name: 'revision', value: commit },
          { name: 'branch', value: ref },
        ]);
        const selector = `workflows.argoproj.io/workflow=${workflow?.metadata.name}`;
        const said = await installed().kubectl('logs', '-n', 'flows', '-c', 'main', '-l', selector);
        const lines = said.split('\n').filter((line) => /^(building|testing)/.test(line));
        assert.deepEqual(lines.sort(), [`building ${commit}`, `testing ${ref}`]);
      };
      await ends('refs/heads/main');
      await project.untilStatus(commit, 'success');
      await project.pushTag('v1.0', commit);
      await ends('refs/tags/v1.0');
    });

    proves('ends as Failed what fails, a Job and a Workflow, and its commit is shown as a failure', async () => {
      const project = await start({ namespace: 'flows', name: 'failing' });
      const job = (await installed().example('job.yaml')).replace('- echo', '- exit 3; echo');
      const workflow = (await installed().example('workflow.yaml')).replace(`'echo "$MESSAGE"'`, `'exit 3'`);
      for (const manifest of [job, workflow]) {
        assert.match(manifest, /exit 3/);
        const commit = await project.push({ 'ci/manifest.yaml': manifest });
        const { status } = await project.untilEnd(commit);
        assert.equal(status?.phase, 'Failed', status?.message);
        assert.ok(status?.resource?.uid);
        await project.untilStatus(commit, 'failure');
      }
    });

    proves('says in a namespace without install/tenant which command helps, and runs the push after it', async () => {
      const project = await start({ namespace: 'stranger', name: 'stranger', tenant: false });
      const { message, reason } = await project.untilReady('False');
      assert.equal(reason, 'NoPermission');
      const manifest = { 'ci/manifest.yaml': await installed().example('job.yaml') };
      const refused = await project.untilEnd(await project.push(manifest));
      assert.deepEqual([refused.status?.phase, refused.status?.reason], ['Failed', 'NoPermission']);
      assert.deepEqual(await project.list('apis/batch/v1', 'jobs'), []);

      for (const text of [message, refused.status?.message ?? '']) assert.match(text, helpful);
      const [, command = ''] = helpful.exec(message) ?? [];
      await installed().kubectl(...command.split(' '));
      // Roles count from a moment after they were made.
      const asked = ['impersonate', 'serviceaccounts/kube-git-runner', '-n', 'stranger'];
      const mayAct = () =>
        installed().kubectl('auth', 'can-i', ...asked, '--as=system:serviceaccount:default:kube-git');
      await waitFor(mayAct, { what: 'kube-git to be allowed to act as kube-git-runner' });
      const commit = await project.push({ ...manifest, again: '1' });
      const { status } = await project.untilEnd(commit);
      assert.equal(status?.phase, 'Succeeded', status?.message);
      await project.untilStatus(commit, 'success');
      await project.untilReady('True');
    });

    proves('ends a run right whose Job goes on and ends while the kube-git pod is deleted and replaced', async (t) => {
      const gate = await startGate(t, installed().cluster.hostAddress);
      const project = await start({ namespace: 'team', name: 'restart' });
      const waiting = `- until wget -q -O /dev/null ${gate.url}; do sleep 1; done; echo`;
      const job = (await installed().example('job.yaml')).replace('- echo', waiting);
      const commit = await project.push({ 'ci/manifest.yaml': job });
      const isRunning = ({ status }: { status?: { phase?: string } }) => status?.phase === 'Running';
      const { metadata, status } = await project.untilRun(commit, isRunning);
      await project.untilStatus(commit, 'pending');

      const before = await installed().pod();
      await installed().kubectl('delete', 'pod', before.name, '-n', 'default', '--timeout=120s');
      gate.open();
      const ended = await project.untilEnd(commit);
      assert.equal(ended.status?.phase, 'Succeeded', ended.status?.message);
      assert.deepEqual([ended.metadata.name, ended.status?.resource], [metadata.name, status?.resource]);
      await project.untilStatus(commit, 'success');
      const jobs = await project.list<KubeObject>('apis/batch/v1', 'jobs');
      const own = jobs.filter((one) => one.metadata.labels?.['kubegit.appspero.com/githook'] === 'restart');
      assert.deepEqual(
        own.map((one) => one.metadata.uid),
        [status?.resource?.uid],
      );

      assert.notEqual((await installed().pod()).name, before.name);
      await project.addWebhook(); // a pod's address: behind a Service the forge would notice nothing
      const { status: next } = await project.untilEnd(await project.push({ 'ci/manifest.yaml': `${job}\n` }));
      assert.equal(next?.phase, 'Succeeded', next?.message);
    });
  });
}

const helpful = /kubectl (apply -k install\/tenant -n stranger)/;

interface Workflow {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly arguments: { readonly parameters: readonly object[] } };
}
