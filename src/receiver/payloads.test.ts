// What forges really send, through the whole receiver: recorded deliveries of Gitea, and every example GitHub publishes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  forgeSamples,
  githubExamples,
  githubServers,
  recordedFromGitea,
  recordedSecret,
} from '../../test/env/forge-samples.ts';
import { pushPayload, startTestReceiver, type TestReceiver, testSecret } from '../../test/env/receiver.ts';
import type { Outcome } from './outcome.ts';

interface Answered extends Outcome {
  readonly status: number;
}

async function post(url: string, headers: Record<string, string>, body: string | Uint8Array): Promise<Answered> {
  const answer = await fetch(url, { method: 'POST', headers, body: body as string });
  return { status: answer.status, ...((await answer.json()) as Outcome) };
}

async function replay(receiver: TestReceiver, name: string, path = '/gitea'): Promise<Answered> {
  const { headers, body } = recordedFromGitea(name);
  return post(`${receiver.url}${path}`, headers, body);
}

describe("GitHub's examples of all events", () => {
  for (const server of githubServers) {
    it(`of ${server} run where they are pushes, and are ignored with a reason else: none is an error`, async (t) => {
      // The day of their pushes: they are too old for today.
      const receiver = await startTestReceiver(t, { nowMs: Date.parse('2019-05-15T15:30:00Z') });
      await receiver.addGitHook('all', { repository: 'https://github.com/Codertocat/Hello-World' });
      await receiver.addGitHook('own', { repository: 'https://octocoders.github.io/Codertocat/Hello-World' });
      const reasons: string[] = [];
      for (const { name, payload } of githubExamples(server).flatMap(inRow)) {
        const { status, outcome } = await receiver.send({ payload, event: name });
        assert.ok([200, 202].includes(status), `${name}: ${status} ${outcome.reason}`);
        assert.notEqual(outcome.message, '');
        assert.ok(reasonsFor(name, payload).includes(outcome.reason), `${name}: ${outcome.reason}`);
        reasons.push(outcome.reason);
      }
      assert.equal(
        reasons.includes('RunsCreated'),
        !['ghes-31', 'ghes-32'].includes(server),
        'they have deletions only',
      );
      assert.ok(reasons.length > 45);
    });
  }
});

function inRow({ name, examples }: ReturnType<typeof githubExamples>[number]) {
  return examples.map((payload) => ({ name, payload }));
}

function reasonsFor(event: string, { deleted }: Readonly<Record<string, unknown>>): readonly string[] {
  // Those of a later GitHub Enterprise Server tell of one push twice.
  if (event === 'push') return deleted === true ? ['RefDeleted'] : ['RunsCreated', 'Duplicate'];
  return [event === 'ping' ? 'Ping' : 'UnknownEvent'];
}

describe("Gitea's deliveries", () => {
  it('make one run a push, whatever webhook tells of it, and however often', async (t) => {
    const receiver = await startTestReceiver(t, { secrets: [recordedSecret] });
    await receiver.addGitHook('all', { repository: 'http://127.0.0.1/acme/app' });
    const reasons = async (names: readonly string[], path?: string): Promise<string[]> => {
      const answers: string[] = [];
      for (const name of names) answers.push((await replay(receiver, name, path)).reason);
      return answers;
    };
    assert.deepEqual(
      await reasons(['branch-created', 'push', 'force-push', 'annotated-tag']),
      Array(4).fill('RunsCreated'),
    );
    assert.deepEqual(await reasons(['push', 'push-replayed', 'push-as-form']), Array(3).fill('Duplicate'));
    assert.deepEqual(await reasons(['push', 'push-replayed'], '/github'), Array(2).fill('Duplicate'));
    assert.deepEqual(await reasons(['tag-deleted', 'branch-deleted', 'test-button']), [
      'RefDeleted',
      'RefDeleted',
      'Ping',
    ]);
    assert.deepEqual(await reasons(['push-without-secret']), ['Unverified']);
    assert.deepEqual(await reasons(['push-as-form'], '/github'), ['Unverified']);

    const runs = (await receiver.runs()).map(({ spec }) => `${spec.forge} ${spec.ref} ${spec.commit.slice(0, 7)}`);
    const commits = ['push', 'branch-created'].map((name) =>
      JSON.parse(recordedFromGitea(name).body).after.slice(0, 7),
    );
    const expected = [commits[0], commits[1], commits[1]].map((commit) => `gitea refs/heads/main ${commit}`);
    assert.deepEqual(runs.sort(), [...expected, `gitea refs/tags/v1 ${commits[1]}`].sort());
  });

  it('are answered 401 on a path whose forge has no secret', async (t) => {
    const receiver = await startTestReceiver(t, { secrets: [] });
    assert.equal((await replay(receiver, 'push')).status, 401);
    assert.match(await receiver.metrics.text(), /kubegit_webhook_secret_configured\{forge="gitea"\} 0/);
  });
});

describe('refs with odd names', () => {
  const names = [
    'a/b/c',
    '100%',
    '%2e%2e%2f',
    '%00',
    '#1',
    `"q"-'s'`,
    'ü-日本-😀',
    '$(id)',
    '{{workflow.name}}',
    'a;b&c|d',
    '+',
    'a=b&payload=x',
    '-x',
    '<b>',
  ];
  for (const { deliver, forge } of forgeSamples) {
    for (const form of [false, true]) {
      it(`are kept as they are: ${forge}, ${form ? 'form' : 'JSON'}`, async (t) => {
        const receiver = await startTestReceiver(t);
        await receiver.addGitHook('all', { repository: 'https://git.example.com/acme/app' });
        const refs = names.flatMap((name) => [`refs/heads/${name}`, `refs/tags/${name}`]);
        for (const ref of refs) {
          const { headers, body } = deliver(JSON.stringify(pushPayload({ ref })), { secret: testSecret, form });
          const id = { 'x-github-delivery': `id-${refs.indexOf(ref)}`, 'x-gitea-delivery': `id-${refs.indexOf(ref)}` };
          const { message, reason } = await post(
            `${receiver.url}/${forge}`,
            { ...(headers as Record<string, string>), ...id },
            body,
          );
          assert.equal(reason, 'RunsCreated', `${ref}: ${message}`);
        }
        assert.deepEqual((await receiver.runs()).map(({ spec }) => spec.ref).sort(), refs.sort());
      });
    }
  }
});
