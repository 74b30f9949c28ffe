// The flag -profile-port from outside: docs/memory.md says that it is off, and what a heap snapshot holds.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testCluster } from '../env/cluster.ts';
import { startKubeGit, webhookSecret } from '../env/kube-git.ts';
import { freePort } from '../env/ports.ts';

const listening = /^profile server listening/;

describe('-profile-port', () => {
  it('is off unless it is asked for', async (t) => {
    const kubeGit = await startKubeGit(t, { kubeconfig: testCluster().kubeconfig });
    assert.ok(!kubeGit.lines.some(({ msg }) => listening.test(msg ?? '')));
    assert.equal(await kubeGit.stop(), 0);
  });

  it('opens heap snapshots, which hold the webhook secret, and says so; flags of the old log change nothing', async (t) => {
    const port = await freePort();
    const args = ['-profile-port', String(port), '-logtostderr', '-v', '2'];
    const kubeGit = await startKubeGit(t, { kubeconfig: testCluster().kubeconfig, args });
    assert.equal(kubeGit.lines.find(({ msg }) => listening.test(msg ?? ''))?.level, 'warn');
    assert.ok(kubeGit.lines.some(({ warning }) => /^ignored, .*: -logtostderr, -v;/.test(String(warning))));
    const answer = await fetch(`http://127.0.0.1:${port}/heap-snapshot`, { method: 'POST' });
    assert.ok((await answer.text()).includes(webhookSecret));
    assert.ok(!kubeGit.output().includes(webhookSecret));
    assert.equal(await kubeGit.stop(), 0);
  });
});
