// Argo Workflows as the end-to-end tests use it: the real controller, and workflows whose steps are real pods. Asks for
// root and packages, and for Go at its first run, so it runs on request only.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { callApi } from '../api.ts';
import { type NodeCluster, startClusterWithNode } from '../node/cluster-with-node.ts';
import { waitFor } from '../wait.ts';
import { type Argo, allowWorkflows, installArgoCrds, startArgo } from './argo.ts';

const enabled = process.env['KUBEGIT_TEST_NODE'] === '1';
const skip = enabled
  ? false
  : 'needs root, Debian packages and Go (4 minutes the first time): set KUBEGIT_TEST_NODE=1 to run it';
const log = (line: string) => console.log(line);

const workflows = '/apis/argoproj.io/v1alpha1/namespaces/default/workflows';
/** A step's pod takes 5 s on two idle cores; a machine busy with a build is several times slower. */
const deadlineMs = 180_000;

interface Workflow {
  readonly metadata: { readonly name: string };
  readonly spec: object;
  readonly status?: {
    readonly phase?: string;
    readonly message?: string;
    readonly nodes?: Readonly<
      Record<string, { readonly displayName: string; readonly type: string; readonly phase: string }>
    >;
  };
}

/** Two steps, one after the other: the second is given what the first one said. */
function twoSteps(name: string, second: string): object {
  const container = (script: string) => ({ image: 'busybox', command: ['sh', '-c', script] });
  const result = '{{steps.first.outputs.result}}';
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name },
    spec: {
      entrypoint: 'main',
      templates: [
        {
          name: 'main',
          steps: [
            [{ name: 'first', template: 'say' }],
            [
              {
                name: 'second',
                template: 'check',
                arguments: { parameters: [{ name: 'said', value: result }] },
              },
            ],
          ],
        },
        { name: 'say', container: container('echo hello from step one') },
        { name: 'check', inputs: { parameters: [{ name: 'said' }] }, container: container(second) },
      ],
    },
  };
}

describe('Argo Workflows', { skip, timeout: 900_000 }, () => {
  let cluster: NodeCluster;
  let argo: Argo;
  before(async () => {
    cluster = await startClusterWithNode({ log });
    argo = await startArgo({ cluster, log });
    await allowWorkflows(cluster, 'default');
  });
  after(async () => {
    await argo?.stop();
    await cluster?.stop();
  });

  /** Creates it and waits for its end. */
  async function run(workflow: object): Promise<Workflow> {
    const { metadata } = await callApi<Workflow>(cluster, 'POST', workflows, { body: workflow });
    const ended = async () => {
      const { status } = await callApi<Workflow>(cluster, 'GET', `${workflows}/${metadata.name}`);
      const isEnd = ['Succeeded', 'Failed', 'Error'].includes(status?.phase ?? '');
      return isEnd && callApi<Workflow>(cluster, 'GET', `${workflows}/${metadata.name}`);
    };
    const what = `${metadata.name} to end`;
    return waitFor(ended, { what, deadlineMs, everyMs: 250 }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${argo.logTail(30)}`);
    });
  }

  it('brings a Workflow of two steps to Succeeded', async () => {
    const { status } = await run(twoSteps('good', '[ "{{inputs.parameters.said}}" = "hello from step one" ]'));
    assert.equal(status?.phase, 'Succeeded', JSON.stringify(status));
    const pods = Object.values(status.nodes ?? {}).filter(({ type }) => type === 'Pod');
    assert.deepEqual(pods.map(({ displayName, phase }) => `${displayName} ${phase}`).sort(), [
      'first Succeeded',
      'second Succeeded',
    ]);
  });

  it('ends a Workflow whose second step fails as Failed, with its exit status', async () => {
    const { status } = await run(twoSteps('bad', 'exit 3'));
    assert.equal(status?.phase, 'Failed');
    assert.match(status.message ?? '', /child '.*' failed/);
    const nodes = Object.values(status.nodes ?? {}) as { displayName: string; phase: string; message?: string }[];
    const second = nodes.find(({ displayName }) => displayName === 'second');
    assert.equal(second?.phase, 'Failed');
    assert.match(second.message ?? '', /exit code 3/);
  });

  it('finds the command of a container that names none, and takes the full CRDs over the minimal ones', async () => {
    await installArgoCrds(cluster, 'full', log);
    const wrong = { ...twoSteps('wrong', 'true'), spec: { entrypoint: 'main', templates: 'none' } };
    await assert.rejects(callApi(cluster, 'POST', workflows, { body: wrong }), /spec\.templates/);
    const { status } = await run({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Workflow',
      metadata: { name: 'bare' },
      spec: { entrypoint: 'main', templates: [{ name: 'main', container: { image: 'alpine', args: ['true'] } }] },
    });
    assert.equal(status?.phase, 'Succeeded', JSON.stringify(status));
  });
});
