// The control plane itself: what runs while it runs, and that nothing is left of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { callApi } from './api.ts';
import { startOwnControlPlane } from './cluster.ts';
import { startControlPlane } from './control-plane.ts';
import { isAlive } from './processes.ts';
import { waitFor } from './wait.ts';

const namespaces = '/api/v1/namespaces';

describe('startControlPlane', () => {
  it('serves, comes back on the same port with what it held, and leaves neither process nor folder', async (t) => {
    const plane = await startOwnControlPlane(t);
    assert.equal((await stat(plane.kubeconfig)).mode & 0o777, 0o600);
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } };
    await callApi(plane, 'POST', namespaces, { body });

    await plane.stopApiServer();
    await assert.rejects(callApi(plane, 'GET', namespaces), { code: 'ECONNREFUSED' });
    await plane.startApiServer();
    await callApi(plane, 'GET', `${namespaces}/kept`);

    const pids = plane.pids();
    assert.equal(pids.length, 2);
    assert.ok(pids.every(isAlive));
    await plane.stop();
    assert.deepEqual(pids.filter(isAlive), []);
    await assert.rejects(access(plane.folder), { code: 'ENOENT' });
  });

  it('leaves no process when its program is killed', async () => {
    const script = `
      import { startControlPlane } from ${JSON.stringify(join(import.meta.dirname, 'control-plane.ts'))};
      console.log(JSON.stringify((await startControlPlane()).pids()));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(String(line)) as number[];
    assert.equal(pids.length, 2);
    parent.kill('SIGKILL');
    await waitFor(() => !pids.some(isAlive), { what: 'etcd and kube-apiserver to be gone' });
  });

  it('says why it did not start, with the last lines of the log', async () => {
    await assert.rejects(startControlPlane({ apiServerFlags: ['--authorization-mode=Nonsense'] }), (error: Error) => {
      assert.match(error.message, /^The control plane did not start: kube-apiserver ended by itself\n/);
      assert.match(error.message, /Nonsense/);
      return true;
    });
  });
});
