// Gitea as the end-to-end tests use it: real git over http and ssh, deliveries to a small server, commit statuses. Asks for
// Go and a C compiler at its first run, so it runs on request only.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { run } from '../node/command.ts';
import { listenOnFreePort } from '../ports.ts';
import { waitFor } from '../wait.ts';
import type { GiteaRepository } from './client.ts';
import { type Gitea, startGitea } from './gitea.ts';

const enabled = process.env['KUBEGIT_TEST_GITEA'] === '1';
const skip = enabled
  ? false
  : 'needs Go and a C compiler (5 minutes the first time): set KUBEGIT_TEST_GITEA=1 to run it';
const log = (line: string) => console.log(line);

/** A delivery is on its way at once, but a machine busy with a build takes its time. */
const deadlineMs = 60_000;
const secret = 'the secret of this webhook';

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let gitea: Gitea;
let folder: string;
let count = 0;

/** Takes deliveries on loopback until the test ends. */
async function startTaker(t: { after(fn: () => unknown): void }): Promise<{ url: string; taken: Delivery[] }> {
  const taken: Delivery[] = [];
  const server = createServer(async (request, response) => {
    taken.push({ headers: request.headers, body: await text(request) });
    response.end();
  });
  const port = await listenOnFreePort(server);
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${port}/hook`, taken };
}

async function untilTaken(taken: readonly Delivery[], event: string, number = 1): Promise<Delivery> {
  const fitting = () => taken.filter(({ headers }) => headers['x-gitea-event'] === event)[number - 1];
  return waitFor(fitting, { what: `delivery ${number} of ${event}`, deadlineMs });
}

/** git with nothing of this user's, and with what is given instead. */
function gitWith(settings: Readonly<Record<string, string>>, more: NodeJS.ProcessEnv = {}) {
  const config = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  const person = { GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'ann@example.test' };
  const env = {
    ...{ PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', ...more },
    ...{ ...person, GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'ann@example.test' },
    ...{ GIT_CONFIG_COUNT: String(config.length / 2), ...Object.fromEntries(config) },
  };
  return (args: readonly string[], cwd = folder) => run(['git', ...args], { cwd, env });
}

type Git = ReturnType<typeof gitWith>;

/** As the admin, over http. */
function asAdmin(): Git {
  const basic = Buffer.from(`${gitea.username}:${gitea.token}`).toString('base64');
  return gitWith({ 'http.extraHeader': `Authorization: Basic ${basic}` });
}

/** With a fresh key, over ssh, and only this Gitea's host key known. */
async function withKey(): Promise<{ git: Git; publicKey: string }> {
  const key = join(folder, `key-${++count}`);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
  const hosts = join(folder, 'known_hosts');
  await writeFile(hosts, gitea.knownHosts);
  const options = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', 'BatchMode=yes', `UserKnownHostsFile=${hosts}`];
  const command = ['ssh', '-F', 'none', '-i', key, ...options.flatMap((option) => ['-o', option])].join(' ');
  return { git: gitWith({}, { GIT_SSH_COMMAND: command }), publicKey: await readFile(`${key}.pub`, 'utf8') };
}

/** Commits a file in a new working copy and pushes it as main; returns the commit. */
async function push(git: Git, url: string): Promise<string> {
  const copy = join(folder, `copy-${++count}`);
  await git(['init', '-q', '-b', 'main', copy]);
  await writeFile(join(copy, 'job.yaml'), 'kind: Job\n');
  await git(['add', '.'], copy);
  await git(['commit', '-q', '-m', 'Add a job'], copy);
  await git(['push', '-q', url, 'main'], copy);
  return (await git(['rev-parse', 'HEAD'], copy)).trim();
}

async function headOf(git: Git, url: string): Promise<string> {
  return (await git(['ls-remote', url, 'refs/heads/main'])).split('\t')[0] ?? '';
}

/** A repository of this test's own. */
function newRepository(options: { readonly private?: boolean } = {}): Promise<GiteaRepository> {
  return gitea.createRepository(`app-${++count}`, options);
}

describe('Gitea', { skip, timeout: 900_000 }, () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kube-git-gitea-test-'));
    gitea = await startGitea({ log });
  });
  after(async () => {
    await gitea?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const contentType of ['json', 'form'] as const) {
    it(`delivers a push over http as ${contentType}, signed for Gitea and for GitHub`, async (t) => {
      const { url, taken } = await startTaker(t);
      const repository = await newRepository();
      await gitea.addWebhook(repository.name, { url, secret, contentType });
      const commit = await push(asAdmin(), repository.httpUrl);
      const { body, headers } = await untilTaken(taken, 'push');
      const payload = contentType === 'json' ? body : (new URLSearchParams(body).get('payload') ?? '');
      const { after, ref, repository: told } = JSON.parse(payload);
      assert.deepEqual(
        { after, ref, name: told.full_name, url: told.clone_url },
        {
          after: commit,
          ref: 'refs/heads/main',
          name: repository.name,
          url: repository.httpUrl,
        },
      );
      // Gitea signs the payload, also where the body is a form that holds it.
      const mac = createHmac('sha256', secret).update(payload).digest('hex');
      assert.equal(headers['x-gitea-signature'], mac);
      assert.equal(headers['x-hub-signature-256'], `sha256=${mac}`);
      assert.equal(headers['x-github-event'], 'push');
      assert.equal(headers['x-github-delivery'], headers['x-gitea-delivery']);
    });
  }

  it('sends a delivery again under another id with the same payload, and keeps what was answered', async (t) => {
    const { url, taken } = await startTaker(t);
    const repository = await newRepository();
    const webhook = await gitea.addWebhook(repository.name, { url, secret, contentType: 'json', events: ['push'] });
    await push(asAdmin(), repository.httpUrl);
    const first = await untilTaken(taken, 'push');
    await gitea.replay(repository.name, webhook, String(first.headers['x-gitea-delivery']));
    const again = await untilTaken(taken, 'push', 2);
    assert.equal(again.body, first.body);
    assert.notEqual(again.headers['x-gitea-delivery'], first.headers['x-gitea-delivery']);
    const over = () => {
      const answered = gitea.deliveries(webhook).filter(({ status }) => status !== undefined);
      return answered.length === 2 && answered;
    };
    const kept = await waitFor(over, { what: 'Gitea to keep both answers', deadlineMs });
    assert.deepEqual(
      kept.map(({ event, id, status }) => ({ event, id, status })),
      [first, again].map(({ headers }) => ({ event: 'push', id: headers['x-gitea-delivery'], status: 200 })),
    );
    assert.equal(kept[0]?.payload.after, JSON.parse(first.body).after);
  });

  it('takes a push over ssh from a user’s key, and knows who it is', async () => {
    const repository = await newRepository({ private: true });
    const { git, publicKey } = await withKey();
    await assert.rejects(push(git, repository.sshUrl), /Permission denied/);
    await gitea.addUserKey(publicKey);
    const commit = await push(git, repository.sshUrl);
    assert.equal(await headOf(git, repository.sshUrl), commit);
  });

  it('lets a deploy key read one repository and not write to it', async () => {
    const [repository, other] = [await newRepository({ private: true }), await newRepository({ private: true })];
    const commit = await push(asAdmin(), repository.httpUrl);
    const { git, publicKey } = await withKey();
    await gitea.addDeployKey(repository.name, publicKey);
    assert.equal(await headOf(git, repository.sshUrl), commit);
    await assert.rejects(headOf(git, other.sshUrl), /Could not read from remote repository/);
    await assert.rejects(push(git, repository.sshUrl), /not authorized to write|Could not read from remote/);
  });

  it('shows a private repository over http to those with a token only', async () => {
    const repository = await newRepository({ private: true });
    const commit = await push(asAdmin(), repository.httpUrl);
    assert.equal(await headOf(asAdmin(), repository.httpUrl), commit);
    await assert.rejects(headOf(gitWith({}), repository.httpUrl), /could not read Username/);
  });

  it('gives back the statuses of a commit, newest first', async () => {
    const repository = await newRepository();
    const commit = await push(asAdmin(), repository.httpUrl);
    const path = `/repos/${repository.name}/statuses/${commit}`;
    for (const state of ['pending', 'success']) {
      await gitea.api('POST', path, {
        state,
        context: 'kube-git',
        description: state,
        target_url: 'https://example.test',
      });
    }
    const statuses = await gitea.statuses(repository.name, commit);
    assert.deepEqual(
      statuses.map(({ context, status }) => `${context} ${status}`),
      ['kube-git success', 'kube-git pending'],
    );
  });

  it('leaves nothing when it is stopped', async () => {
    const other = await startGitea({ log });
    await other.stop();
    await assert.rejects(fetch(other.url), /fetch failed/);
  });
});
