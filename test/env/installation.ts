// A cluster of a test file's own to install kube-git in: the admission policy and the roles are for a whole cluster, so they
// must not stand in the way of the tests that share one. Every helper of this process then finds this cluster.
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { binary } from './binaries.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

const root = join(import.meta.dirname, '../..');

/** What an installation needs of the controller manager, besides what all tests do. */
const controllers = [
  'clusterrole-aggregation-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'validatingadmissionpolicy-status-controller',
];

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Installation {
  readonly plane: ControlPlane;
  /** A copy of what a user has checked out: install and examples. Files may be written there. */
  readonly folder: string;
  /** Runs kubectl in the folder, as the admin or with another kubeconfig; rejects where it fails. */
  kubectl(args: readonly string[], options?: { readonly kubeconfig?: string }): Promise<Output>;
  /** Runs shell commands as a person would, with kubectl on PATH. */
  shell(script: string): Promise<Output>;
  /** Starts the garbage collector and the others: once the CRDs are there, because it looks for new kinds every 30 s only. */
  startControllers(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the cluster, empty, and makes it the one that testCluster() gives. Stop it at the end. */
export async function startInstallation(): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-install-'));
  for (const name of ['install', 'examples']) {
    // Not what somebody has made beside it: those may be their secrets.
    const filter = (path: string): boolean => !/install\/secrets\/(webhook\.env|notification\.yaml)$/.test(path);
    await cp(join(root, name), join(folder, name), { recursive: true, filter });
  }
  const plane = await startControlPlane();
  process.env['KUBEGIT_TEST_KUBECONFIG'] = plane.kubeconfig;
  await writeWrapper(folder);
  const environment = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, KUBECONFIG: plane.kubeconfig };
  const run = promisify(execFile);
  return {
    plane,
    folder,
    kubectl: (args, { kubeconfig = plane.kubeconfig } = {}) =>
      run(join(folder, 'kubectl'), [...args], { cwd: folder, env: { ...environment, KUBECONFIG: kubeconfig } }),
    shell: (script) => shell(script, folder, environment),
    startControllers: () => plane.startControllerManager(controllers),
    stop: async () => {
      await plane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** kubectl may be one component of a larger program, which takes its name as the first argument. */
async function writeWrapper(folder: string): Promise<void> {
  const { file, args } = await binary('kubectl');
  await writeFile(join(folder, 'kubectl'), `#!/bin/sh\nexec '${file}' ${args.join(' ')} "$@"\n`, { mode: 0o755 });
}

/** Of one block of a page: kubectl waits for ever for what it deletes. */
const shellLimitMs = 180_000;

async function shell(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Output> {
  const args = ['-euo', 'pipefail', '-c', script];
  const child = spawn('bash', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  // With all it has started, which else would hold the pipes open.
  const limit = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), shellLimitMs);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await ended;
  clearTimeout(limit);
  const how = code === null ? `nothing within ${shellLimitMs / 1000} s` : `exit code ${code}`;
  if (code !== 0) throw new Error(`${how} of:\n${script}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

const original = join(root, 'test/testdata/original-install');

/** Puts what the program of 2019 left in a cluster: its CRD as clusters keep those made with v1beta1, its objects, a GitHook. */
export async function installOriginal({ plane, kubectl }: Installation): Promise<void> {
  const key = '/registry/apiextensions.k8s.io/customresourcedefinitions/githooks.kubegit.appspero.com';
  const encode = (value: string): string => Buffer.from(value).toString('base64');
  const value = JSON.stringify(JSON.parse(await readFile(join(original, 'crd.json'), 'utf8')));
  // No API server takes such a CRD any more, but each keeps what it has: past it, into etcd's own JSON interface.
  const answer = await fetch(`${plane.etcdUrl}/v3/kv/put`, {
    method: 'POST',
    body: JSON.stringify({ key: encode(key), value: encode(value) }),
  });
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${await answer.text()}`);
  await kubectl(['wait', 'crd/githooks.kubegit.appspero.com', '--for=condition=Established', '--timeout=60s']);
  await kubectl(['create', 'namespace', 'ci']);
  await kubectl(['apply', '-f', join(original, 'objects.yaml')]);
  await kubectl(['apply', '-f', join(original, 'githook.yaml')]);
}

/** kubectl's lines but for those it always writes. */
export function warnings({ stderr }: Output): string[] {
  return stderr.split('\n').filter((line) => line.trim() !== '');
}
