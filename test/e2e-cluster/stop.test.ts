// How a resource is stopped (ResourceKind.stop), put to those who have to obey: the real Job controller and kubelet, and the real
// workflow controller. Asks for root and packages, and for Go at its first run, so it runs on request only.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../../src/api/object.ts';
import { job } from '../../src/resource/job.ts';
import type { ResourceKind } from '../../src/resource/resource.ts';
import { workflow } from '../../src/resource/workflow.ts';
import { callApi } from '../env/api.ts';
import { type Argo, allowWorkflows, startArgo } from '../env/argo/argo.ts';
import { type NodeCluster, startClusterWithNode } from '../env/node/cluster-with-node.ts';
import { waitFor } from '../env/wait.ts';

const enabled = process.env['KUBEGIT_TEST_NODE'] === '1';
const skip = enabled ? false : 'needs root, Debian packages and Go: set KUBEGIT_TEST_NODE=1 to run it';
const log = (line: string) => console.log(line);
const deadlineMs = 180_000;

const sleep = { image: 'busybox', command: ['sh', '-c', 'sleep 3600'] };
const path = ({ apiVersion, plural }: ResourceKind): string => `/apis/${apiVersion}/namespaces/default/${plural}`;

function sleeping({ apiVersion, kind }: ResourceKind, name: string, spec: object = {}): object {
  const template = {
    spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [{ name: 'x', ...sleep }] },
  };
  const ofKind =
    kind === 'Job' ? { template } : { entrypoint: 'main', templates: [{ name: 'main', container: sleep }] };
  return { apiVersion, kind, metadata: { name }, spec: { ...ofKind, ...spec } };
}

describe('what is stopped', { skip, timeout: 900_000 }, () => {
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

  const get = (kind: ResourceKind, name: string): Promise<KubeObject> =>
    callApi<KubeObject>(cluster, 'GET', `${path(kind)}/${name}`);

  /** Creates it, waits until it is so, stops it as kube-git does, and gives it as it has ended. */
  async function stopped(kind: ResourceKind, object: object, isSo: (live: KubeObject) => boolean): Promise<KubeObject> {
    const { metadata } = await callApi<KubeObject>(cluster, 'POST', path(kind), { body: object });
    const name = metadata.name ?? '';
    const until = (condition: (live: KubeObject) => boolean, what: string): Promise<KubeObject> =>
      waitFor(async () => [await get(kind, name)].find(condition), {
        what: `${name} ${what}`,
        deadlineMs,
        everyMs: 250,
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${argo.logTail(30)}`);
      });
    const live = await until(isSo, 'to be as wanted');
    const stop = kind.stop(live);
    assert.ok(typeof stop === 'object');
    await callApi(cluster, 'PATCH', `${path(kind)}/${name}`, { body: stop.patch });
    const ended = await until((one) => kind.observe(one).phase !== 'Running', 'to end');
    assert.equal(kind.stop(ended), 'stopped');
    return ended;
  }

  const podsOf = async (selector: string): Promise<readonly unknown[]> => {
    const query = `labelSelector=${encodeURIComponent(selector)}`;
    return (await callApi<{ items: unknown[] }>(cluster, 'GET', `/api/v1/namespaces/default/pods?${query}`)).items;
  };

  it('ends: a Job that runs, which stays, with its pods gone', async () => {
    const ready = (live: KubeObject): boolean => (live['status'] as { ready?: number } | undefined)?.ready === 1;
    const ended = await stopped(job, sleeping(job, 'runs'), ready);
    assert.equal(job.observe(ended).reason, 'DeadlineExceeded');
    assert.deepEqual(await podsOf('batch.kubernetes.io/job-name=runs'), []);
  });

  const mutex = { synchronization: { mutexes: [{ name: 'one' }] } };
  const suspendStep = { templates: [{ name: 'main', suspend: {} }] };
  const cases: readonly (readonly [what: string, spec: object, reason: string])[] = [
    ['runs', {}, 'Running'],
    ['is suspended', { suspend: true }, 'Suspended'],
    ['waits at a suspend step', suspendStep, 'Suspended'],
  ];
  for (const [what, spec, reason] of cases) {
    it(`ends: a Workflow that ${what}`, async () => {
      const name = what.replaceAll(' ', '-');
      const phaseOf = (live: KubeObject) => (live['status'] as { phase?: string } | undefined)?.phase;
      const isSo = (live: KubeObject): boolean =>
        workflow.observe(live).reason === reason && (phaseOf(live) === 'Running' || name === 'is-suspended');
      await stopped(workflow, sleeping(workflow, name, spec), isSo);
    });
  }

  it('ends: a Workflow that waits for a lock', async () => {
    await callApi(cluster, 'POST', path(workflow), { body: sleeping(workflow, 'holds', mutex) });
    const isPending = (live: KubeObject): boolean => /lock/i.test(workflow.observe(live).message);
    await waitFor(async () => workflow.observe(await get(workflow, 'holds')).reason === 'Running', {
      what: 'the first to hold the lock',
      deadlineMs,
    });
    await stopped(workflow, sleeping(workflow, 'waits', mutex), isPending);
  });
});
