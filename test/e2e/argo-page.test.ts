// docs/argo.md by copy and paste, on a control plane of its own: its commands are run in their order, and a push runs. Only
// Argo's own manifest is another: the page's is on the network, and no workflow controller runs here.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../../src/api/object.ts';
import { at } from '../../src/resource/mapping.ts';
import { createAccount, grant } from '../env/accounts.ts';
import { api } from '../env/cluster.ts';
import { installCrds } from '../env/crds.ts';
import { blocksOf } from '../env/doc-blocks.ts';
import { type Installation, startInstallation } from '../env/installation.ts';
import { type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const root = join(import.meta.dirname, '../..');
const argoCrds = join(import.meta.dirname, 'testdata/argo/workflows.yaml');
const blocks = blocksOf('argo.md').map(({ script }) => script);
/** A reflector that found nothing may wait half a minute before it looks again. */
const noticedWithinMs = 90_000;

let installation: Installation;
before(async () => {
  installation = await startInstallation();
  await installCrds(installation.plane, join(root, 'install/crds'));
});
after(() => installation?.stop());

/** What a user is told to do: the example with the own repository in it. */
async function ownRepository(file: string, s: Scenario): Promise<void> {
  const path = join(installation.folder, file);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/repository: \S+/, `repository: ${s.repository.url}`));
}

const workflowOf = ({ namespace }: Scenario, name = ''): Promise<KubeObject> =>
  api('GET', `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/workflows/${name}`);

describe('docs/argo.md', () => {
  it('by copy and paste leads to a Workflow that knows what was pushed', async (t) => {
    const s = await startScenario(t, { args: ['-default-service-account=kube-git-runner'] });
    const run = async (script: string): Promise<string> => {
      const here = script.replaceAll('my-team', s.namespace).replace(/https:\S+\/install\.yaml/, argoCrds);
      return (await installation.shell(here)).stdout;
    };
    await run('kubectl apply -k install/tenant -n my-team');
    const [argo = '', account = '', gitHook = '', look = ''] = blocks;
    assert.equal(blocks.length, 4);
    await run(argo);
    await run(account);
    await ownRepository('examples/githook-workflow.yaml', s);
    await run(gitHook);
    await run('kubectl wait -n my-team githook/app-workflow --for=condition=Ready --timeout=60s');

    const commit = await s.push({ 'ci/workflow.yaml': await readFile(join(root, 'examples/workflow.yaml'), 'utf8') });
    const { metadata, status } = await s.untilRun(commit, (one) => one.status?.phase === 'Running', 'Running');
    const seen = await run(look);
    for (const name of [metadata.name ?? '?', status?.resource?.name ?? '?']) assert.ok(seen.includes(name), seen);
    const workflow = await workflowOf(s, status?.resource?.name);
    assert.deepEqual(at(workflow, 'spec', 'arguments', 'parameters'), [
      { name: 'revision', value: commit },
      { name: 'branch', value: 'refs/heads/main' },
    ]);
  });

  it('names the rights that an account of its own needs for Workflows', async (t) => {
    const page = await readFile(join(root, 'docs/argo.md'), 'utf8');
    const [, verbs = ''] = /needs the rights\n?\s?(.*?) on `workflows\.argoproj\.io`/s.exec(page) ?? [];
    const named = [...verbs.matchAll(/`(\w+)`/g)].map(([, verb = '']) => verb);
    const s = await startScenario(t);
    const account = await createAccount({ namespace: s.namespace, name: 'narrow' });
    await grant(account, [{ group: 'argoproj.io', resource: 'workflows', verbs: named }]);
    await s.gitHook('app', { serviceAccountName: 'narrow' });
    const commit = await s.push({ 'job.yaml': await readFile(join(root, 'examples/workflow.yaml'), 'utf8') });
    const { status } = await s.untilRun(commit, (one) => one.status?.phase === 'Running', 'Running');
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${s.namespace}/workflows/${status?.resource?.name}`;
    await api('PATCH', path, { status: { phase: 'Succeeded' } });
    const isDone = async () => (await s.untilRun(commit, () => true, 'there')).status?.handedBack === true;
    await waitFor(isDone, { what: 'the clean-up time to be given back', deadlineMs: noticedWithinMs });
    const left = await workflowOf(s, status?.resource?.name);
    assert.deepEqual(at(left, 'spec', 'ttlStrategy'), { secondsAfterCompletion: 3600 });
  });
});
