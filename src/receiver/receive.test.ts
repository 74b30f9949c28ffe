import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pushPayload, startTestReceiver } from '../../test/env/receiver.ts';

const repository = 'https://git.example.com/acme/app';

describe('receive', () => {
  it('answers ping, a deleted ref and an unknown event with 200 and a reason', async (t) => {
    const receiver = await startTestReceiver(t);
    const deleted = { ...pushPayload(), deleted: true, after: '0'.repeat(40), head_commit: null };
    const cases = [
      { payload: { zen: 'Design for failure.' }, event: 'ping', reason: 'Ping' },
      { payload: deleted, event: 'push', reason: 'RefDeleted' },
      { payload: { action: 'opened' }, event: 'issues', reason: 'UnknownEvent' },
    ];
    for (const { reason, ...delivery } of cases) {
      const { status, outcome } = await receiver.send({ ...delivery, id: `id-${reason}` });
      assert.equal(status, 200);
      assert.deepEqual([outcome.delivery, outcome.decision, outcome.reason], [`id-${reason}`, 'ignored', reason]);
    }
  });

  it('answers 400 to a signed body that is no push, and says which field', async (t) => {
    const receiver = await startTestReceiver(t);
    const { status, outcome } = await receiver.send({ payload: { ...pushPayload(), after: 'x' } });
    assert.equal(status, 400);
    assert.equal(outcome.message, 'after is not an object id of 40 or 64 hex digits');
  });

  it('records a run for every GitHook that fits, says so, and leaves an Event on each that does not', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('main', { repository, branches: ['main'] });
    await receiver.addGitHook('all', { repository: 'git@git.example.com:Acme/App.git' });
    await receiver.addGitHook('release', { repository, branches: ['release/*', 'refs/tags/*'] });
    await receiver.addGitHook('other', { repository: 'https://git.example.com/acme/other' });
    const payload = pushPayload();
    const { status, outcome } = await receiver.send({ payload });

    assert.equal(status, 202);
    assert.equal(outcome.decision, 'accepted');
    const decided = Object.fromEntries(outcome.githooks.map(({ name, decision }) => [name.split('/')[1], decision]));
    assert.deepEqual(decided, { main: 'RunCreated', all: 'RunCreated', release: 'NotMatched' });
    const stored = (await receiver.runs()).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    assert.deepEqual([...outcome.runs].sort(), stored.sort());
    assert.deepEqual(await receiver.events('release'), [
      `Normal PushIgnored the push of refs/heads/main (${payload.after.slice(0, 12)}) fits none of its branches: release/*, refs/tags/*`,
    ]);
  });

  it('answers 200 with NoMatch where no GitHook names the repository or fits the ref', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('main', { repository, branches: ['main'] });
    for (const push of [{ repository: 'acme/unknown' }, { ref: 'refs/heads/dev' }]) {
      const { status, outcome } = await receiver.send({ payload: pushPayload(push) });
      assert.deepEqual([status, outcome.decision, outcome.reason], [200, 'ignored', 'NoMatch']);
    }
    assert.deepEqual(await receiver.runs(), []);
  });

  it('leaves out a GitHook that is being deleted', async (t) => {
    const receiver = await startTestReceiver(t);
    await receiver.addGitHook('dying', { repository });
    await receiver.deleteGitHookSlowly('dying');
    const { outcome } = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([outcome.reason, outcome.githooks], ['NoMatch', []]);
  });

  it('matches a GitHook however it spells the URL', async (t) => {
    const receiver = await startTestReceiver(t);
    const spellings = [
      'https://git.example.com/acme/app.git',
      'http://git.example.com/acme/app/',
      'HTTPS://Git.Example.COM:8443/Acme/App',
      'git@git.example.com:acme/app.git',
      'git@git.example.com:/acme/app',
      'ssh://git@git.example.com/acme/app.git',
      'ssh://git.example.com:2222/acme/app',
    ];
    for (const [index, url] of spellings.entries()) await receiver.addGitHook(`spelling-${index}`, { repository: url });
    const { outcome } = await receiver.send({ payload: pushPayload() });
    assert.equal(outcome.runs.length, spellings.length);
  });

  it('ignores a push that was signed more than seven days ago as stale', async (t) => {
    const day = 24 * 3_600_000;
    const receiver = await startTestReceiver(t, { nowMs: Date.now() + 7 * day + 60_000 });
    await receiver.addGitHook('all', { repository });
    const { status, outcome } = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([status, outcome.reason], [200, 'Stale']);
    assert.deepEqual(await receiver.runs(), []);
  });

  it('takes either of two secrets, and refuses what is signed with none of them', async (t) => {
    const receiver = await startTestReceiver(t, { secrets: ['the old secret', 'the new secret'] });
    const send = async (secret: string) => (await receiver.send({ payload: {}, event: 'ping', secret })).status;
    assert.deepEqual(
      [await send('the old secret'), await send('the new secret'), await send('another')],
      [200, 200, 401],
    );
  });

  it('lists the GitHooks itself before it says NoMatch, when the watch has been silent for a minute', async (t) => {
    const receiver = await startTestReceiver(t, { blindForMs: 61_000 });
    // The list is of all namespaces: the repository must be no other test's.
    const name = `acme/${receiver.namespace}`;
    await receiver.addGitHook('late', { repository: `https://git.example.com/${name}` });
    const { status, outcome } = await receiver.send({ payload: pushPayload({ repository: name }) });
    assert.deepEqual([status, outcome.githooks[0]?.decision], [202, 'RunCreated']);

    receiver.proxy.rule(({ path }) => (path.endsWith('/githooks') ? { kind: 'drop' } : undefined));
    const away = await receiver.send({ payload: pushPayload({ repository: name }) });
    assert.deepEqual([away.status, away.outcome.reason], [503, 'NotReady']);
  });

  it('believes the watch that spoke within the minute', async (t) => {
    const receiver = await startTestReceiver(t, { blindForMs: 59_000 });
    const { status, outcome } = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([status, outcome.reason, receiver.proxy.log.length], [200, 'NoMatch', 0]);
  });
});
