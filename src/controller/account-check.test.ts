import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAccount, grant } from '../../test/env/accounts.ts';
import { type KubeFixture, kubeFixture } from '../../test/env/kube-fixture.ts';
import { ManualClock } from '../../test/env/manual-clock.ts';
import type { GitHook } from '../api/githook.ts';
import { AccountCheck } from './account-check.ts';

const never = new AbortController().signal;

function gitHook(namespace: string, serviceAccountName?: string): GitHook {
  return {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHook',
    metadata: { name: 'app', namespace },
    spec: {
      ...{ repository: 'https://github.com/acme/app.git', branches: ['main'], manifest: 'job.yaml' },
      ...(serviceAccountName !== undefined && { serviceAccountName }),
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
async function start(t: Context, defaultAccount = ''): Promise<Ground> {
  const fixture = await kubeFixture(t);
  const clock = new ManualClock();
  const check = new AccountCheck({ kube: fixture.client, clock, defaultAccount });
  const asked = (): number => fixture.proxy.log.filter(({ path }) => path.endsWith('/selfsubjectaccessreviews')).length;
  return { ...fixture, clock, check, asked };
}

const minute = 60_000;

describe('AccountCheck', () => {
  it('finds nothing wrong with an account that may create Jobs, and asks once in ten minutes', async (t) => {
    const { check, clock, namespace, asked } = await start(t);
    for (const _ of [1, 2, 3]) {
      assert.equal((await check.look(gitHook(namespace), never)).problem, undefined);
    }
    assert.equal(asked(), 1);
    await clock.advance(9 * minute);
    assert.deepEqual(await check.look(gitHook(namespace), never), { problem: undefined, againMs: minute });
    await clock.advance(minute);
    await check.look(gitHook(namespace), never);
    assert.equal(asked(), 2);
  });

  it('names the one command where the account of install/tenant lacks its rights', async (t) => {
    const { check, namespace } = await start(t, 'kube-git-runner');
    const { problem, againMs } = await check.look(gitHook(namespace), never);
    assert.equal(problem?.reason, 'NoPermission');
    assert.match(problem?.message ?? '', /^ServiceAccount "kube-git-runner" may not create Jobs or .+ in namespace/);
    assert.ok(problem?.message.endsWith(`: kubectl apply -k install/tenant -n ${namespace}.`), problem?.message);
    assert.equal(againMs, 5_000);
  });

  it('tells another account’s owner to make a Role', async (t) => {
    const { check, namespace } = await start(t, 'kube-git-runner');
    const { problem } = await check.look(gitHook(namespace, 'builder'), never);
    assert.match(problem?.message ?? '', /^ServiceAccount "builder" .* Give it that permission with a Role/);
  });

  it('takes no account for one whose name cannot be', async (t) => {
    const { check, namespace, asked } = await start(t);
    const { problem } = await check.look(gitHook(namespace, 'No Such'), never);
    assert.equal(problem?.reason, 'NoPermission');
    assert.equal(asked(), 0);
  });

  it('asks one set of questions for all GitHooks of a namespace', async (t) => {
    const { check, namespace, asked } = await start(t, 'kube-git-runner');
    const looks = Array.from({ length: 20 }, () => check.look(gitHook(namespace), never));
    const reasons = (await Promise.all(looks)).map(({ problem }) => problem?.reason);
    assert.deepEqual(new Set(reasons), new Set(['NoPermission']));
    assert.equal(asked(), 2, 'one for Jobs and one for Workflows');
  });

  it('sees a right that was given, soon at first and the later the longer it was missing', async (t) => {
    const { check, clock, namespace } = await start(t, 'builder');
    const look = () => check.look(gitHook(namespace), never);
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
});
