import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startForge } from '../../test/env/forge.ts';
import type { Fault } from '../../test/env/proxy.ts';
import { openEntry, startSink, testReport } from '../../test/env/sink.ts';
import { TerminalError } from '../errors.ts';
import type { HttpPost } from '../http.ts';
import { github } from './github.ts';
import type { Report } from './notifier.ts';

const signal = new AbortController().signal;
const token = 'ghp_c4n4ry0123456789';
const created: Fault = { kind: 'answer', status: 201, body: '{}' };

async function refusal(api: string | undefined, report: Partial<Report>, more: object = {}): Promise<TerminalError> {
  const notifier = openEntry(github, { token, ...(api && { api }), ...more });
  const error = await notifier.send(testReport(report), signal).then(
    () => assert.fail('told'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof TerminalError, String(error));
  return error;
}

describe('the GitHub notifier', () => {
  it('leaves a status on a forge, with the token as the user', async (t) => {
    const forge = await startForge({ secret: 'a-webhook-secret', token });
    t.after(() => forge.stop());
    await forge.createRepository('acme/app');
    const report = testReport({ repository: `${forge.url}/acme/app.git`, state: 'Succeeded' });
    await openEntry(github, { token, api: forge.apiUrl }).send(report, signal);
    const [status] = forge.statuses;
    assert.deepEqual(
      [status?.repository, status?.sha, status?.state, status?.context],
      ['acme/app', report.commit, 'success', 'kube-git/team-a/app'],
    );
  });

  it('asks the api with a path and headers that GitHub and Gitea take', async (t) => {
    const sink = await startSink(t, created);
    await openEntry(github, { token: ` ${token}\n`, api: `${sink.url}/api/v1//` }).send(testReport(), signal);
    const [request] = sink.log;
    assert.equal(request?.path, '/api/v1/repos/acme/app/statuses/2f5a8c0d9b1e4f7a6c3d2e1f0a9b8c7d6e5f4a3b');
    assert.equal(request?.headers['accept'], 'application/vnd.github+json');
    const basic = Buffer.from(`${token}:x-oauth-basic`).toString('base64');
    assert.equal(request?.headers['authorization'], `Basic ${basic}`);
  });

  const urls: readonly string[] = [
    'http://localhost:3000/acme/app',
    'https://LOCALHOST/acme/app.git/',
    'http://127.0.0.1/acme/app.git',
    'http://[::1]:8080/acme/app.git',
    'ssh://git@localhost:2222/acme/app.git',
    'git@localhost:acme/app.git',
    'https://localhost/some/prefix/acme/app.git',
  ];
  for (const repository of urls) {
    it(`finds owner and name in ${repository}`, async (t) => {
      const sink = await startSink(t, created);
      await openEntry(github, { token, api: sink.url }).send(testReport({ repository }), signal);
      assert.match(sink.log[0]?.path ?? '', /^\/repos\/acme\/app\/statuses\//);
    });
  }

  const bad = [
    'http://localhost/app.git',
    'http://localhost/acme/a%20b',
    'http://localhost/acme/a b',
    'git@localhost:app',
  ];
  for (const repository of bad) {
    it(`sends nothing for ${repository}`, async (t) => {
      const sink = await startSink(t, created);
      assert.equal((await refusal(sink.url, { repository })).reason, 'InvalidRepository');
      assert.deepEqual(sink.log, []);
    });
  }
});

describe('the GitHub notifier: which api speaks of which host', () => {
  const others: readonly (readonly [api: string | undefined, repository: string, wanted: string])[] = [
    [undefined, 'https://git.example.com/acme/app', 'https://git.example.com/api/v3 (Gitea: /api/v1)'],
    [undefined, 'https://github.com.example.com/acme/app', 'https://github.com.example.com/api/v3 (Gitea: /api/v1)'],
    ['https://git.example.com/api/v3', 'git@github.com:acme/app.git', 'https://api.github.com'],
    ['https://git.example.com/api/v3', 'https://localhost/acme/app', 'https://localhost/api/v3 (Gitea: /api/v1)'],
  ];
  for (const [api, repository, wanted] of others) {
    it(`refuses ${repository} for ${api ?? 'the default'} and says what to write`, async () => {
      const error = await refusal(api, { repository });
      assert.equal(error.reason, 'WrongHost');
      assert.match(error.message, /^notification entry github\.ci is for repositories of /);
      assert.ok(error.message.includes(`an entry with api: ${wanted} `), error.message);
    });
  }

  const same: readonly (readonly [api: string | undefined, repository: string, base: string])[] = [
    [undefined, 'https://github.com/acme/app', 'https://api.github.com'],
    [undefined, 'git@github.com:acme/app.git', 'https://api.github.com'],
    [undefined, 'ssh://git@ssh.github.com:443/acme/app.git', 'https://api.github.com'],
    ['https://api.github.com/', 'https://GitHub.com/acme/app', 'https://api.github.com'],
    ['https://api.acme.ghe.com', 'https://acme.ghe.com/acme/app', 'https://api.acme.ghe.com'],
    [
      'https://git.example.com:8443/api/v3',
      'ssh://git@git.example.com:2222/acme/app',
      'https://git.example.com:8443/api/v3',
    ],
  ];
  for (const [api, repository, base] of same) {
    it(`takes ${repository} for ${api ?? 'the default'}`, async () => {
      const asked: string[] = [];
      // Nothing goes out to these hosts in a test.
      const http: HttpPost = async ({ url }) => {
        asked.push(url);
        return { status: 201, headers: new Headers(), text: '{}', time: 0 };
      };
      const report = testReport({ repository });
      await openEntry(github, { token, ...(api && { api }) }, http).send(report, signal);
      assert.deepEqual(asked, [`${base}/repos/acme/app/statuses/${report.commit}`]);
    });
  }

  for (const commit of ['', 'main', '../../user', '2f5a8c0']) {
    it(`sends nothing for the commit ${JSON.stringify(commit)}`, async (t) => {
      const sink = await startSink(t, created);
      assert.equal((await refusal(sink.url, { commit })).reason, 'NotificationRefused');
      assert.deepEqual(sink.log, []);
    });
  }
});

describe('the GitHub notifier: what it says', () => {
  async function told(t: Parameters<typeof startSink>[0], report: Partial<Report>, entry: object = {}) {
    const sink = await startSink(t, created);
    await openEntry(github, { token, api: sink.url, ...entry }).send(testReport(report), signal);
    return JSON.parse(sink.log[0]?.body ?? '') as Record<string, string>;
  }

  it('N-09 cuts the description at 140 characters', async (t) => {
    const { description = '' } = await told(t, { state: 'Error', reason: 'BadYaml', message: 'ü'.repeat(500) });
    assert.equal(description, `Could not start: BadYaml: ${'ü'.repeat(113)}…`);
    assert.equal(description.length, 140);
  });

  it('says of a cancelled run that it was cancelled', async (t) => {
    const { state, description } = await told(t, { state: 'Error', reason: 'Cancelled', message: 'It was deleted.' });
    assert.deepEqual([state, description], ['error', 'Cancelled: It was deleted.']);
  });

  it('replaces characters of four bytes, which GitHub refuses', async (t) => {
    const { description } = await told(t, { state: 'Error', reason: 'BadYaml', message: 'a \u{1f41b} b' });
    assert.equal(description, 'Could not start: BadYaml: a \ufffd b');
  });

  it('has no link without a resource, or without a url in the entry', async (t) => {
    assert.ok(!('target_url' in (await told(t, { resource: undefined }, { url: 'https://a/${NAME}' }))));
    assert.ok(!('target_url' in (await told(t, {}))));
  });

  it('encodes names in the link, and reads nothing into them', async (t) => {
    const resource = { title: 'Job', name: 'a/../b?$&${NAMESPACE}' };
    const { target_url: link } = await told(t, { resource }, { url: 'https://a/${NAMESPACE}/${NAME}/${NAME}' });
    const name = 'a%2F..%2Fb%3F%24%26%24%7BNAMESPACE%7D';
    assert.equal(link, `https://a/team-a/${name}/${name}`);
  });

  it('says what to do when a commit has all the statuses it may have', async (t) => {
    const sink = await startSink(t, {
      kind: 'answer',
      status: 422,
      body: JSON.stringify({
        message: 'Validation Failed',
        errors: [{ message: 'This SHA and context has reached the maximum number of statuses.' }],
      }),
    });
    const error = await refusal(sink.url, {});
    assert.equal(error.reason, 'NotificationRefused');
    assert.match(error.message, /push a new commit, or set another spec\.notification\.context$/);
  });

  it('keeps to the repositories the entry is for', async (t) => {
    const sink = await startSink(t, created);
    const repositories = ['github.com/*', 'localhost/acme/*'];
    await openEntry(github, { token, api: sink.url, repositories }).send(testReport(), signal);
    const error = await refusal(sink.url, { repository: 'http://localhost/other/app' }, { repositories });
    assert.equal(error.reason, 'NotAllowed');
    assert.match(error.message, /is not for repository localhost\/other\/app: add it to repositories of github\.ci/);
  });
});
