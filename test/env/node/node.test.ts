// The node as the demo uses it, on this machine: real namespaces, containerd and pods. Asks for root and packages, so it
// runs on request only.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { waitFor } from '../wait.ts';
import { startClusterWithNode } from './cluster-with-node.ts';
import { run } from './command.ts';

const enabled = process.env['KUBEGIT_TEST_NODE'] === '1';
const skip = enabled ? false : 'needs root and Debian packages: set KUBEGIT_TEST_NODE=1 to run it';
const log = (line: string) => console.log(line);

/** What clusters of this machine left or have: processes, mounts, links, folders, cgroups. `name` narrows it to one cluster. */
async function traces(name: string): Promise<Record<string, string[]>> {
  const lines = async (command: readonly string[], word: string) =>
    (await run(command)).split('\n').filter((line) => line.includes(word));
  const cgroups = await run(['find', '/sys/fs/cgroup', '-maxdepth', '2', '-name', `${name}*`]);
  return {
    processes: await lines(['ps', '-eo', 'pid,stat,args'], name),
    mounts: (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter((line) => line.includes(name)),
    folders: (await readdir(tmpdir())).filter((entry) => entry.startsWith(name)),
    cgroups: cgroups.split('\n').filter((line) => line !== ''),
  };
}

const nothing = { processes: [], mounts: [], folders: [], cgroups: [] };

async function hasAddress(address: string): Promise<boolean> {
  return (await run(['ip', '-brief', '-4', 'address'])).includes(` ${address}/`);
}

/** The cluster's name is that of its folder, in which its kubeconfig is. */
function nameOf(kubeconfig: string): string {
  return /kubegit-node-[\w-]+/.exec(kubeconfig)?.[0] ?? assert.fail(`no name in ${kubeconfig}`);
}

describe('a cluster with a node', { skip }, () => {
  it('runs a Job whose image has no tag to its end, gives its log, and leaves nothing', async (t) => {
    const cluster = await startClusterWithNode({ log });
    t.after(() => cluster.stop());
    const name = nameOf(cluster.kubeconfig);
    const { kubectl, hostAddress } = cluster;
    const script = `echo hello from a pod; ping -c 1 ${hostAddress} >/dev/null && echo reached the machine`;
    await kubectl(['create', 'job', 'hello', '--image=busybox', '--', 'sh', '-c', script]);
    await kubectl(['wait', '--for=condition=Complete', 'job/hello', '--timeout=60s']);
    assert.equal(await kubectl(['logs', 'job/hello']), 'hello from a pod\nreached the machine\n');
    assert.ok(await hasAddress(hostAddress));

    await cluster.stop();
    assert.deepEqual(await traces(name), nothing);
    assert.equal(await hasAddress(hostAddress), false);
  });

  it('is left alone by a second one on the same machine', async (t) => {
    const first = await startClusterWithNode({ log });
    t.after(() => first.stop());
    const second = await startClusterWithNode({ log });
    t.after(() => second.stop());
    assert.notEqual(second.hostAddress, first.hostAddress);
    await second.stop();
    assert.match(await first.kubectl(['get', 'nodes']), / Ready /);
  });

  it('can be called off while it starts, and leaves nothing', async () => {
    const controller = new AbortController();
    const starting = startClusterWithNode({ log, signal: controller.signal });
    const isUnderWay = async () => (await traces(`kubegit-node-${process.pid}`))['processes']?.some(isContainerd);
    await waitFor(isUnderWay, { what: 'containerd to be started', deadlineMs: 60_000 });
    const reason = new Error('changed my mind');
    controller.abort(reason);
    await assert.rejects(starting, reason);
    assert.deepEqual(await traces(`kubegit-node-${process.pid}`), nothing);
  });
});

function isContainerd(line: string): boolean {
  return line.includes('containerd.toml');
}

const program = `
  const { startClusterWithNode } = await import(${JSON.stringify(new URL('cluster-with-node.ts', import.meta.url))});
  const { kubectl } = await startClusterWithNode({ log: (line) => console.log(line) });
  await kubectl(['run', 'sleeper', '--image=alpine', '--', 'sleep', '1000']);
  await kubectl(['wait', '--for=condition=Ready', 'pod/sleeper', '--timeout=60s']);
  console.log('pod is running');
`;

/** A process of its own that starts a cluster; returns when it has printed a line that fits. */
async function startElsewhere(t: { after(fn: () => unknown): void }, line: RegExp): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  for await (const text of createInterface(child.stdout)) if (line.test(text)) return child;
  return assert.fail('the cluster did not start');
}

describe('a killed cluster', { skip }, () => {
  it('is cleared away with its pod, though its process was killed with SIGKILL', async (t) => {
    const child = await startElsewhere(t, /^pod is running/);
    const name = `kubegit-node-${child.pid}`;
    assert.notDeepEqual(await traces(name), nothing);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waitFor(async () => isNothing(await traces(name)), { what: 'every trace to go' });
  });

  it('whose guardian was killed too does not stop the next, which clears it away', async (t) => {
    const child = await startElsewhere(t, /^pod is running/);
    const name = `kubegit-node-${child.pid}`;
    const guardian = (await traces(name))['processes']?.find((line) => line.includes('guardian.ts')) ?? '';
    process.kill(Number.parseInt(guardian, 10), 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal((await traces(name))['folders']?.length, 1);

    const next = await startClusterWithNode({ log });
    t.after(() => next.stop());
    assert.deepEqual(await traces(name), nothing);
    assert.match(await next.kubectl(['get', 'nodes']), / Ready /);
  });
});

/** Dead processes that nobody has buried yet are none. */
function isNothing(found: Record<string, string[]>): boolean {
  return Object.values(found).every((lines) => lines.length === 0);
}
