// The control plane of a run of tests: started before them, gone after them. Called by test.ts and faults.ts.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binary, isAtHand } from '../test/env/binaries.ts';
import { startControlPlane } from '../test/env/control-plane.ts';
import { installCrds } from '../test/env/crds.ts';
import { SetupError } from '../test/env/setup-error.ts';
import { root } from './run-tests.ts';

/** What tests need of the controller manager: nothing that wants a node or a cloud. */
const controllers = [
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'resourcequota-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'ttl-after-finished-controller',
];
const longSetUpMs = 1_000;

/** Starts a control plane with our CRDs and calls `run` with the environment that tests find it by. Returns what that returns. */
export async function withTestCluster(
  signal: AbortSignal,
  run: (env: Readonly<Record<string, string>>) => Promise<number>,
): Promise<number> {
  const start = performance.now();
  await binary('kube-apiserver', { signal });
  const withControllers = await isAtHand('kube-controller-manager');
  const plane = await startControlPlane({ signal });
  try {
    await installCrds(plane, join(root, 'install/crds'));
    if (withControllers) await plane.startControllerManager(controllers);
    const took = performance.now() - start;
    if (took > longSetUpMs) console.error(`The control plane was ready after ${(took / 1000).toFixed(1)} s.`);
    return await run({
      KUBEGIT_TEST_KUBECONFIG: plane.kubeconfig,
      KUBEGIT_TEST_CONTROLLERS: String(withControllers),
    });
  } finally {
    await plane.stop();
  }
}

export async function checkGit(): Promise<void> {
  await promisify(execFile)('git', ['--version']).catch(() => {
    throw new SetupError('git is needed: install it (Debian: apt-get install git), then start again.');
  });
}
