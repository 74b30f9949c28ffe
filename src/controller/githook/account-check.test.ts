import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAccount, grant } from '../../../test/env/accounts.ts';
import { type KubeFixture, kubeFixture } from '../../../test/env/kube-fixture.ts';
import { ManualClock } from '../../../test/env/manual-clock.ts';
import type { GitHook } from '../../api/githook.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import type { Installation } from '../permission.ts';
import { AccountCheck } from './account-check.ts';

const never = new AbortController().signal;

function gitHook(namespace: string, serviceAccountName?: string, more: Partial<GitHook['spec']> = {}): GitHook {
  return {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHook',
    metadata: { name: 'app', namespace },
    spec: {
      ...{ repository: 'https://github.com/acme/app.git', branches: ['main'], manifest: 'job.yaml' },
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      ...more,
    },
  };
}

/** A push that had come as far as this kind, and failed. */
function refusedRun(namespace: string, kind = 'Job', uid = 'run'): GitHookRun {
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'argoproj.io/v1alpha1';
  return {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHookRun',
    metadata: { name: 'app-1', namespace, uid },
    spec: {
      ...{ gitHookRef: { name: 'app', uid: 'u' }, sequence: 1, source: 'Webhook', forge: 'github' },
      ...{
        receivedTime: '2026-01-01T00:00:00Z',
        ref: 'refs/heads/main',
        after: 'a'.repeat(40),
        commit: 'a'.repeat(40),
      },
      ...{ repository: 'https://github.com/acme/app.git', manifest: 'job.yaml' },
    },
    status: {
      ...{ phase: 'Failed', reason: 'NoPermission', message: 'in the words of then' },
      resource: { apiVersion, kind, name: 'x' },
    },
  };
}

type Context = { after(fn: () => unknown): void };

interface Ground extends KubeFixture {
  readonly clock: ManualClock;
  readonly check: AccountCheck;
  /** Questions asked of the API server so far. */
  asked(): number;
}

/** The client is the cluster's admin, who may act as anybody. */
async function start(t: Context, defaultServiceAccount = '', more: Partial<Installation> = {}): Promise<Ground> {
  const fixture = await kubeFixture(t);
  const clock = new ManualClock();
  const installation = { defaultServiceAccount, namespace: '', tenantBase: 'install/tenant', ...more };
  const check = new AccountCheck({ kube: fixture.client, clock, installation });
  const asked = (): number => fixture.proxy.log.filter(({ path }) => path.endsWith('/selfsubjectaccessreviews')).length;
  return { ...fixture, clock, check, asked };
}

const minute = 60_000;

describe('AccountCheck', () => {
  it('finds nothing wrong with an account that may create Jobs, and asks once in ten minutes', async (t) => {
    const { check, clock, namespace, asked } = await start(t);
    for (const _ of [1, 2, 3]) {
      assert.equal((await check.look(gitHook(namespace), undefined, never)).problem, undefined);
    }
    assert.equal(asked(), 1);
    await clock.advance(9 * minute);
    assert.deepEqual(await check.look(gitHook(namespace), undefined, never), { problem: undefined, againMs: minute });
    await clock.advance(minute);
    await check.look(gitHook(namespace), undefined, never);
    assert.equal(asked(), 2);
  });

  it('names the one command where the account of install/tenant lacks its rights', async (t) => {
    const { check, namespace } = await start(t, 'kube-git-runner');
    const { problem, againMs } = await check.look(gitHook(namespace), undefined, never);
    assert.equal(problem?.reason, 'NoPermission');
    assert.match(problem?.message ?? '', /^ServiceAccount "kube-git-runner" may not create Jobs or .+ in namespace/);
    assert.ok(problem?.message.endsWith(`: kubectl apply -k install/tenant -n ${namespace}.`), problem?.message);
    assert.equal(againMs, 5_000);
  });

  it('names another command where the installation says so', async (t) => {
    const { check, namespace } = await start(t, 'kube-git-runner', { tenantBase: 'somewhere/else' });
    const { problem } = await check.look(gitHook(namespace), undefined, never);
    assert.ok(problem?.message.endsWith(`: kubectl apply -k somewhere/else -n ${namespace}.`), problem?.message);
  });

  it('tells another account’s owner to make a Role', async (t) => {
    const { check, namespace } = await start(t, 'kube-git-runner');
    const { problem } = await check.look(gitHook(namespace, 'builder'), undefined, never);
    assert.match(problem?.message ?? '', /^ServiceAccount "builder" .* Give it that permission with a Role/);
  });

  it('takes no account for one whose name cannot be', async (t) => {
    const { check, namespace, asked } = await start(t);
    const { problem } = await check.look(gitHook(namespace, 'No Such'), undefined, never);
    assert.equal(problem?.reason, 'NoPermission');
    assert.equal(asked(), 0);
  });

  it('asks one set of questions for all GitHooks of a namespace', async (t) => {
    const { check, namespace, asked } = await start(t, 'kube-git-runner');
    const looks = Array.from({ length: 20 }, () => check.look(gitHook(namespace), undefined, never));
    const reasons = (await Promise.all(looks)).map(({ problem }) => problem?.reason);
    assert.deepEqual(new Set(reasons), new Set(['NoPermission']));
    assert.equal(asked(), 2, 'one for Jobs and one for Workflows');
  });

  it('sees a right that was given, soon at first and the later the longer it was missing', async (t) => {
    const { check, clock, namespace } = await start(t, 'builder');
    const look = () => check.look(gitHook(namespace), undefined, never);
    const waits: number[] = [];
    for (const _ of Array.from({ length: 15 })) {
      const { againMs } = await look();
      waits.push(againMs);
      await clock.advance(againMs);
    }
    assert.deepEqual(waits.slice(0, 4), [5_000, 5_000, 5_000, 7_500]);
    assert.equal(waits.at(-1), 5 * minute);
    const account = await createAccount({ namespace, name: 'builder' });
    await grant(account, [{ group: 'argoproj.io', resource: 'workflows', verbs: ['create'] }]);
    assert.equal((await look()).problem, undefined);
  });

  describe('about a push that was refused', () => {
    const secret = (name: string) => ({ usernameSecret: { name, key: 'a' }, passwordSecret: { name, key: 'b' } });

    it('asks for what that push needs, until all of it is allowed, and then never again', async (t) => {
      const { check, clock, namespace, asked } = await start(t, 'builder');
      const account = await createAccount({ namespace, name: 'builder' });
      const hook = gitHook(namespace, undefined, secret('git'));
      const look = async () => {
        const { problem, againMs } = await check.look(hook, refusedRun(namespace, 'Workflow'), never);
        await clock.advance(againMs);
        return problem?.message;
      };
      await grant(account, [{ group: 'batch', resource: 'jobs', verbs: ['create'] }]);
      assert.match(
        (await look()) ?? '',
        /^ServiceAccount "builder" may not read the Secret "git", nor create Argo Workflows in namespace/,
      );
      await grant(account, [{ resource: 'secrets', verbs: ['get'], names: ['git'] }]);
      assert.match((await look()) ?? '', /^ServiceAccount "builder" may not create Argo Workflows in namespace/);
      await grant(account, [{ group: 'argoproj.io', resource: 'workflows', verbs: ['create'] }]);
      assert.equal(await look(), undefined);
      await clock.advance(11 * minute);
      const before = asked();
      for (const _ of [1, 2, 3]) assert.equal(await look(), undefined);
      assert.equal(asked() - before, 3, 'the account’s one question in ten minutes, and none about the push');
    });

    it('looks again within half the time that it was missing, five minutes at most', async (t) => {
      const { check, clock, namespace } = await start(t, 'builder');
      const account = await createAccount({ namespace, name: 'builder' });
      await grant(account, [{ group: 'batch', resource: 'jobs', verbs: ['create'] }]);
      const hook = gitHook(namespace, undefined, secret('git'));
      const waits: number[] = [];
      for (const _ of Array.from({ length: 15 })) {
        const { againMs } = await check.look(hook, refusedRun(namespace), never);
        waits.push(againMs);
        await clock.advance(againMs);
      }
      assert.deepEqual(waits.slice(0, 4), [5_000, 5_000, 5_000, 7_500]);
      assert.equal(Math.max(...waits), 5 * minute);
    });

    it('asks anew about the next push that is refused', async (t) => {
      const { check, namespace, asked } = await start(t);
      await check.look(gitHook(namespace), refusedRun(namespace), never);
      const before = asked();
      await check.look(gitHook(namespace), refusedRun(namespace), never);
      assert.equal(asked(), before);
      await check.look(gitHook(namespace), refusedRun(namespace, 'Job', 'another'), never);
      assert.equal(asked(), before + 1);
    });

    it('believes the push where the API server does not say', async (t) => {
      const { check, namespace, proxy } = await start(t);
      const refusal = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message: 'no',
      };
      proxy.rule(({ path }) =>
        path.endsWith('/selfsubjectaccessreviews')
          ? { kind: 'answer', status: 403, body: JSON.stringify(refusal) }
          : undefined,
      );
      assert.equal((await check.look(gitHook(namespace), undefined, never)).problem, undefined);
      const { problem } = await check.look(gitHook(namespace), refusedRun(namespace), never);
      assert.deepEqual(problem, { reason: 'NoPermission', message: 'in the words of then' });
    });
  });
});
