// A GitHook is run now by annotation: at the head of a branch, of a tag, of the default branch; once for each value, and what
// cannot be run is said in one Event.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { startApiProxy } from '../env/api-proxy.ts';
import { annotate, eventsAbout, type SeenEvent } from '../env/by-hand.ts';
import { api } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const group = '/apis/kubegit.appspero.com/v1alpha1';
const key = 'kubegit.appspero.com/run-now';

const runNow = (s: Scenario, value: string | null): Promise<GitHook> =>
  annotate(s.namespace, 'githooks', 'app', { [key]: value });

/** Until the GitHook says that the value was answered. */
function untilAnswered(s: Scenario, value: string): Promise<GitHook> {
  return waitFor(
    async () => {
      const now = await s.readGitHook('app');
      return now.status?.handledRun === value ? now : undefined;
    },
    {
      what: `run-now=${value.slice(0, 40)} to be answered; kube-git said: ${s.kubeGit.output().slice(-2000)}`,
      deadlineMs: 30_000,
    },
  );
}

/** The run that the value makes, once it has a Job. */
async function runOf(s: Scenario, value: string, before: readonly GitHookRun[] = []): Promise<GitHookRun> {
  await runNow(s, value);
  await untilAnswered(s, value);
  const known = new Set(before.map(({ metadata }) => metadata.name));
  return waitFor(
    async () =>
      (await s.runs()).find(({ metadata, status }) => !known.has(metadata.name) && status?.resource?.uid !== undefined),
    { what: `the run of ${value}`, deadlineMs: 30_000 },
  );
}

function eventOf(s: Scenario, reason: string): Promise<SeenEvent> {
  return waitFor(async () => (await eventsAbout(s.namespace, 'app', reason)).at(-1), {
    what: `the Event ${reason}`,
    deadlineMs: 30_000,
  });
}

/** Commits without telling anybody. */
const commit = (s: Scenario, branch: string, text: string): Promise<string> =>
  s.repository.commit({ 'job.yaml': jobManifest, README: text }, { branch });

describe('run-now', () => {
  it('runs the head of a branch, of a tag, of a full ref and of the default branch, whatever branches says', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { branches: ['nothing'] });
    const main = await commit(s, 'main', 'main');
    const other = await commit(s, 'release/1.0', 'release');
    const tag = await s.repository.tag('v1', other, 'annotated');
    const cases = [
      ['release/1.0 a', 'refs/heads/release/1.0', other, other],
      ['v1 b', 'refs/tags/v1', other, tag],
      ['refs/heads/main', 'refs/heads/main', main, main],
      ['HEAD c', 'refs/heads/main', main, main],
      ['', 'refs/heads/main', main, main],
    ] as const;
    for (const [value, ref, at, after] of cases) {
      const { spec } = await runOf(s, value, await s.runs());
      assert.deepEqual(
        [spec.ref, spec.commit, spec.after, spec.source, spec.sequence, spec.author !== '', spec.message !== ''],
        [ref, at, after, 'Manual', 1, true, true],
        value,
      );
    }
    const runs = await s.runs();
    assert.equal(runs.length, cases.length);
    const { message } = await eventOf(s, 'RunNowStarted');
    assert.match(
      message,
      /^run app-[a-z2-7]{12} runs refs\/heads\/main \([0-9a-f]{12}\), as kubegit\.appspero\.com\/run-now asks$/,
    );
  });

  it('runs once a value, also after its run is gone, and of two values set at once the last for sure', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    await commit(s, 'main', 'x');
    const first = await runOf(s, 'main 1');
    await runNow(s, 'main 1');
    await api('DELETE', `${group}/namespaces/${s.namespace}/githookruns/${first.metadata.name}`);
    await waitFor(async () => (await s.runs()).length === 0, { what: 'the run to be deleted', deadlineMs: 30_000 });
    await s.kubeGit.kill();
    await s.restart();
    await runNow(s, 'main 2');
    await runNow(s, 'main 3');
    await untilAnswered(s, 'main 3');
    const runs = await s.runs();
    assert.ok(runs.length === 1 || runs.length === 2, `${runs.length} runs`);
    // Long ago answered values start nothing while their run is there.
    await runNow(s, 'main 3');
    await runNow(s, null);
    await runNow(s, 'main 3');
    assert.equal((await s.runs()).length, runs.length);
  });

  it('runs a suspended GitHook, which still skips pushes', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app', { suspend: true });
    await commit(s, 'main', 'x');
    const run = await runOf(s, 'main 1');
    assert.equal(run.spec.suspend, true);
    const pushed = await s.push({ 'job.yaml': jobManifest, README: 'pushed' });
    await s.untilRun(pushed, ({ status }) => status?.phase === 'Skipped', 'Skipped');
  });

  it('starts nothing for a value that a new GitHook came with, and says so', async (t) => {
    const s = await startScenario(t);
    await commit(s, 'main', 'x');
    const path = `${group}/namespaces/${s.namespace}/githooks`;
    await api('POST', path, {
      ...{ apiVersion: 'kubegit.appspero.com/v1alpha1', kind: 'GitHook' },
      metadata: { name: 'app', annotations: { [key]: 'main of the backup' } },
      spec: { repository: s.repository.url, branches: ['*'], manifest: 'job.yaml' },
    });
    await untilAnswered(s, 'main of the backup');
    assert.match((await eventOf(s, 'RunNowIgnored')).message, /the GitHook came with it.*Set another value to run/);
    await runOf(s, 'main 1');
    assert.equal((await s.runs()).length, 1);
  });

  const long = `${'x'.repeat(5000)} y`;
  const refused: readonly (readonly [what: string, value: string, message: RegExp])[] = [
    [
      'a ref that is not there',
      'nowhere 1',
      /RefNotFound: http:\S+ has no branch or tag "nowhere"\. Set another value/,
    ],
    ['an option', '--upload-pack=touch${IFS}/tmp/x', /has no branch or tag "--upload-pack=touch\$\{IFS\}\/tmp\/x"/],
    ['a path', '../../../etc/passwd', /has no branch or tag "\.\.\/\.\.\/\.\.\/etc\/passwd"/],
    ['lines and marks', 'a\u202e\u0000b\u2028c', /has no branch or tag "a b c"/],
    ['a ref of another kind', 'refs/pull/1/head', /has no branch or tag "refs\/pull\/1\/head"/],
    ['a commit', 'a'.repeat(40), /has no branch or tag "a{40}"/],
    ['a tag that is no commit', 'tree 1', /NotACommit: refs\/tags\/tree of http:\S+ points to no commit/],
    ['more than fits a ref', long, /has no branch or tag "x{100,199}…"/],
  ];
  it('says in one Event what it cannot run, and tries it no more', async (t) => {
    const s = await startScenario(t);
    await s.gitHook('app');
    // Its first status is written by then: that of kube-git and our annotation would be a conflict.
    const isReady = async (): Promise<boolean> =>
      (await s.readGitHook('app')).status?.conditions?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      ) === true;
    await waitFor(isReady, { what: 'the GitHook to be Ready' });
    const head = await commit(s, 'main', 'x');
    await s.repository.git(['tag', 'tree', `${head}^{tree}`]);
    for (const [what, value, message] of refused) {
      await runNow(s, value.replaceAll('\u0000', ''));
      const seen = await waitFor(
        async () =>
          (await eventsAbout(s.namespace, 'app', 'RunNowRefused')).find((event) => message.test(event.message)),
        { what: `${what} to be refused; kube-git said: ${s.kubeGit.output().slice(-2000)}`, deadlineMs: 30_000 },
      );
      assert.equal(seen.type, 'Warning');
    }
    await s.kubeGit.kill();
    await s.restart();
    await runOf(s, 'main after all');
    assert.equal((await s.runs()).length, 1);
    const events = await eventsAbout(s.namespace, 'app', 'RunNowRefused');
    assert.deepEqual(
      events.map(({ count }) => count),
      refused.map(() => 1),
    );
    assert.ok(!s.kubeGit.output().includes('reconcile failed'), s.kubeGit.output());
  });

  it('waits for a git server that is away, says so, and runs when it is back', async (t) => {
    const s = await startScenario(t);
    await commit(s, 'main', 'x');
    await s.gitHook('app', { repository: `${s.sinks.github.url}/acme/app.git` });
    const back = s.sinks.github.rule(({ path }) =>
      path.includes('.git/') ? { kind: 'answer', status: 503 } : undefined,
    );
    await runNow(s, 'main 1');
    assert.match((await eventOf(s, 'RunNowWaiting')).message, /^kubegit\.appspero\.com\/run-now is tried again: /);
    back();
    await untilAnswered(s, 'main 1');
    assert.equal((await s.runs()).length, 1);
  });

  for (const [what, isVictim] of [
    ['its run is stored', (path: string) => path.endsWith('/githookruns')],
    ['its answer is written down', (path: string) => path.endsWith('/githooks/app/status')],
  ] as const) {
    it(`is one where kube-git is killed after ${what}, though the branch has moved on since`, async (t) => {
      const proxy = await startApiProxy(t);
      const s = await startScenario(t, { master: proxy.url });
      await s.gitHook('app');
      const head = await commit(s, 'main', 'x');
      let killed: Promise<void> | undefined;
      let isStored = false;
      proxy.rule((request) => {
        const { method, path } = request;
        isStored ||= method === 'POST' && path.endsWith('/githookruns');
        if (killed !== undefined || !isStored || method === 'GET' || !isVictim(path)) return undefined;
        killed = s.kubeGit.kill();
        return { kind: 'dropAnswer' };
      });
      await runNow(s, 'main 1');
      await waitFor(() => killed !== undefined, { what: 'the crash', deadlineMs: 30_000 });
      await killed;
      await commit(s, 'main', 'moved on');
      await s.restart();
      await untilAnswered(s, 'main 1');
      assert.deepEqual(
        (await s.runs()).map(({ spec }) => spec.commit),
        [head],
      );
    });
  }
});
