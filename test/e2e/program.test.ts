// The program as whoever runs it meets it: flags, exit codes, signals, and starting before the cluster is there.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startOwnControlPlane, testCluster, testNamespace } from '../env/cluster.ts';
import { installCrds } from '../env/crds.ts';
import { startForge } from '../env/forge.ts';
import { type KubeGit, runToExit, startKubeGit } from '../env/kube-git.ts';
import { freePort } from '../env/ports.ts';
import { startProxy, when } from '../env/proxy.ts';
import { jobManifest, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

interface Readiness {
  readonly status: number;
  readonly waitingFor: readonly string[];
}

async function readiness({ privateUrl }: KubeGit): Promise<Readiness> {
  const answer = await fetch(`${privateUrl}/readyz`);
  const { waitingFor = [] } = (await answer.json()) as { waitingFor?: readonly string[] };
  return { status: answer.status, waitingFor };
}

const untilReady = (kubeGit: KubeGit): Promise<boolean> =>
  waitFor(async () => (await readiness(kubeGit)).status === 200, {
    what: `kube-git to be ready; ${kubeGit.output().slice(-1500)}`,
    deadlineMs: 60_000,
  });

describe('the program', () => {
  for (const { args, code, words } of [
    { args: ['-webhok-port', '1'], code: 2, words: /^unknown flag -webhok-port, did you mean -webhook-port\? .*\n$/ },
    { args: ['-webhook-port', 'x'], code: 2, words: /^flag -webhook-port must be a whole number from 0 to 65535\n$/ },
    {
      args: ['-kubeconfig', '/nonexistent/kubeconfig'],
      code: 1,
      words: /^kube-git: [^\n]*\/nonexistent\/kubeconfig[^\n]*\n$/,
    },
    { args: [], code: 1, words: /^kube-git: no Kubernetes found: not in a pod, and neither -kubeconfig, [^\n]*\n$/ },
  ]) {
    it(`ends with ${code} and one sentence for ${args.join(' ') || 'no flags and no kubeconfig'}`, async () => {
      const exit = await runToExit(args);
      assert.match(exit.stderr, words);
      assert.doesNotMatch(exit.stderr, /\n {4}at /, 'no stack');
      assert.deepEqual([exit.code, exit.stdout], [code, '']);
    });
  }

  it('prints its version and its flags on standard output, with exit code 0', async () => {
    const version = await runToExit(['-version']);
    assert.match(version.stdout, /^kube-git \d+\.\d+\.\d+/);
    const help = await runToExit(['-help']);
    assert.match(help.stdout, /^ {2}-notification-config-file file$/m);
    assert.deepEqual([version.code, help.code], [0, 0]);
  });

  it('says which port is taken, and by which flag another is chosen', async (t) => {
    const taken = await startProxy({ target: new URL('http://127.0.0.1:9') });
    t.after(() => taken.close());
    const port = new URL(taken.url).port;
    const common = ['-kubeconfig', testCluster().kubeconfig, '-bind-address', '127.0.0.1'];
    for (const [flag, other] of [
      ['-webhook-port', '-private-port'],
      ['-private-port', '-webhook-port'],
    ] as const) {
      const exit = await runToExit([...common, flag, port, other, '0']);
      assert.equal(exit.code, 1);
      assert.match(exit.stderr, new RegExp(`^kube-git: .*${port}.*${flag}.*$`, 'm'));
    }
  });
});

describe('a signal', () => {
  it('SIGTERM makes it not ready at once, a delivery in flight is answered, and the exit code is 0', async (t) => {
    const { server, ca } = testCluster();
    const apiProxy = await startProxy({ target: new URL(server), ca });
    t.after(() => apiProxy.close());
    const s = await startScenario(t, { master: apiProxy.url });
    await s.gitHook('app');
    let store = (): void => {};
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    apiProxy.rule(when({ method: 'POST', path: /githookruns$/ }, { kind: 'hold', until: stored }));
    const pushed = s.push({ 'job.yaml': jobManifest });
    const isHeld = (): boolean => apiProxy.log.some(({ method, path }) => method === 'POST' && /runs$/.test(path));
    await waitFor(isHeld, { what: 'the run on its way to the API server' });
    const began = performance.now();
    const exited = s.kubeGit.stop('SIGTERM');
    await waitFor(async () => (await readiness(s.kubeGit)).status === 503, { what: '503', deadlineMs: 1_000 });
    assert.deepEqual((await readiness(s.kubeGit)).waitingFor, ['kube-git is stopping']);
    store();
    await pushed;
    assert.equal(s.forge.deliveries.at(-1)?.answer?.status, 202);
    assert.equal(await exited, 0);
    assert.ok(performance.now() - began < 15_000, 'within 15 s');
    assert.equal((await s.runs()).length, 1);
  });

  it('SIGINT ends it without the wait for load balancers, and a second signal ends it at once', async (t) => {
    const quick = await startScenario(t);
    const began = performance.now();
    assert.equal(await quick.kubeGit.stop('SIGINT'), 0);
    assert.ok(performance.now() - began < 4_000, 'SIGINT');

    const again = await quick.restart();
    const exited = again.stop('SIGTERM');
    await waitFor(() => again.output().includes('"stopping"'), { what: 'the first signal to be seen' });
    const second = performance.now();
    process.kill(again.pid, 'SIGTERM');
    assert.equal(await exited, 1);
    assert.ok(performance.now() - second < 2_000, 'the second signal');
  });
});

describe('a stop while others hang', () => {
  it('does not wait for a sink or a git server, and what they were asked is asked again after the start', async (t) => {
    const s = await startScenario(t);
    const never = new Promise<void>(() => {});
    const mend = [s.sinks.slack, s.sinks.github].map((proxy) => proxy.rule(() => ({ kind: 'hold', until: never })));
    await s.gitHook('app', { notification: { slack: 'team' } });
    await s.gitHook('slow', { repository: `${s.sinks.github.url}/acme/app.git`, notification: {} });
    await s.push({ 'job.yaml': jobManifest });
    // git twice: for the manifest, and for the refs that are compared.
    const areAsked = (): boolean => s.sinks.slack.log.length === 1 && s.sinks.github.log.length === 2;
    await waitFor(areAsked, { what: 'Slack and git to be asked' });
    const began = performance.now();
    assert.equal(await s.kubeGit.stop('SIGINT'), 0);
    assert.ok(performance.now() - began < 4_000, s.kubeGit.output());
    for (const remove of mend) remove();
    await s.restart();
    const areRunning = async (): Promise<boolean> =>
      (await s.runs()).filter(({ status }) => status?.phase === 'Running').length === 2;
    await waitFor(async () => (await areRunning()) && s.forge.messages.length === 1, { what: 'both runs and Slack' });
  });
});

describe('without a webhook secret', () => {
  it('a delivery signed with the empty secret is answered 401; a warning and a metric say so', async (t) => {
    const { kubeconfig } = testCluster();
    const namespace = await testNamespace(t);
    const kubeGit = await startKubeGit(t, { kubeconfig, secret: '', args: ['-namespace', namespace] });
    assert.match(kubeGit.output(), /"level":"warn".*no webhook secret is configured: every delivery is answered 401/);
    const metrics = await (await fetch(`${kubeGit.privateUrl}/metrics`)).text();
    assert.match(metrics, /^kubegit_webhook_secret_configured\{forge="github"\} 0$/m);
    const signature = `sha256=${createHmac('sha256', '').update('{}').digest('hex')}`;
    for (const signed of [{ 'x-hub-signature-256': signature }, {}]) {
      const headers = { 'content-type': 'application/json', 'x-github-event': 'ping', ...signed };
      const answer = await fetch(`${kubeGit.url}/github`, { method: 'POST', headers, body: '{}' });
      assert.equal(answer.status, 401);
    }
  });
});

describe('a cluster that is not there yet', () => {
  it('API server away: it starts, is not ready, answers 503, and is ready when the API server is there', async (t) => {
    const { server, ca } = testCluster();
    const apiProxy = await startProxy({ target: new URL(server), ca });
    t.after(() => apiProxy.close());
    await apiProxy.down();
    const { kubeconfig } = testCluster();
    const namespace = await testNamespace(t);
    const kubeGit = await startKubeGit(t, {
      ...{ kubeconfig, master: apiProxy.url, args: ['-namespace', namespace], early: true },
    });
    assert.equal((await readiness(kubeGit)).status, 503);
    const forge = await startForge({ secret: 'a-webhook-secret-for-tests' });
    t.after(() => forge.stop());
    await forge.addWebhook(`${kubeGit.url}/github`);
    const repository = await forge.createRepository('acme/app');
    const after = await repository.commit({ README: 'x' });
    const change = { repository: repository.name, ref: 'refs/heads/main', before: '0'.repeat(40), after };
    await forge.announce(change);
    const answer = forge.deliveries.at(-1)?.answer;
    assert.equal(answer?.status, 503);
    assert.ok(Number(answer?.headers['retry-after']) > 0);
    await apiProxy.up();
    await untilReady(kubeGit);
    assert.equal((await forge.redeliver(forge.deliveries.at(-1)?.id ?? '')).answer?.status, 200);
  });

  it('no CRDs: it says what to do, is not ready, and is ready when they are installed', async (t) => {
    const plane = await startOwnControlPlane(t);
    const port = await freePort();
    const kubeGit = await startKubeGit(t, { kubeconfig: plane.kubeconfig, port, early: true });
    const advice =
      /does not know githooks\.kubegit\.appspero\.com: install the CRDs with kubectl apply -f install\/crds/;
    await waitFor(() => advice.test(kubeGit.output()), { what: 'the log to say what to do' });
    const { status, waitingFor } = await readiness(kubeGit);
    assert.equal(status, 503);
    assert.match(waitingFor.join(), advice);
    await installCrds(plane, join(import.meta.dirname, '../../install/crds'));
    await untilReady(kubeGit);
  });
});
