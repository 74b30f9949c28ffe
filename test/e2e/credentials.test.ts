// Private repositories over ssh, as a user sets them up: Secrets and ConfigMaps in the namespace, a real sshd, and for each
// mistake a reason of its own on the run and on the GitHook.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { GitHook } from '../../src/api/githook.ts';
import { api } from '../env/cluster.ts';
import { jobManifest, type Scenario, startScenario } from '../env/scenario.ts';
import { type ClientKey, makeKey, type SshServer, startSshServer } from '../env/ssh-server.ts';
import { findSshd } from '../env/sshd.ts';
import { waitFor } from '../env/wait.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;

type Kind = 'Secret' | 'ConfigMap';
const plurals = { Secret: 'secrets', ConfigMap: 'configmaps' };

async function put(namespace: string, kind: Kind, name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const object = {
    apiVersion: 'v1',
    kind,
    metadata: { name },
    data: kind === 'Secret' ? Object.fromEntries(encoded) : data,
  };
  const path = `/api/v1/namespaces/${namespace}/${plurals[kind]}`;
  await api('PATCH', `${path}/${name}?fieldManager=test&force=true`, object, 'application/apply-patch+yaml');
}

interface Setting {
  readonly s: Scenario;
  readonly server: SshServer;
  readonly key: ClientKey;
  readonly spec: Partial<GitHook['spec']>;
}

/** The forge's repository over ssh, with a Secret and a ConfigMap that work. */
async function start(t: { after(fn: () => unknown): void }): Promise<Setting> {
  const s = await startScenario(t);
  const key = await makeKey('ed25519');
  const server = await startSshServer(t, sshd, {
    root: s.repository.path.slice(0, -`/${s.repository.name}.git`.length),
    authorizedKeys: [key.publicKey],
  });
  await put(s.namespace, 'Secret', 'deploy', { key: key.privateKey });
  await put(s.namespace, 'ConfigMap', 'hosts', { known_hosts: await server.knownHost('ed25519') });
  const spec = {
    repository: server.url(s.repository.name),
    sshPrivateKeySecret: { name: 'deploy', key: 'key' },
    knownHosts: { configMapKeyRef: { name: 'hosts', key: 'known_hosts' } },
  };
  return { s, server, key, spec };
}

/** Waits for the run of this GitHook for the commit to say so, and returns its message. */
async function untilReason(s: Scenario, gitHook: string, commit: string, reason: string): Promise<string> {
  const run = await waitFor(
    async () => {
      const all = await s.runs();
      return all.find(({ spec, status }) => {
        return spec.gitHookRef.name === gitHook && spec.commit === commit && status?.reason === reason;
      });
    },
    { what: `the run of ${gitHook} to be ${reason}`, deadlineMs: 60_000 },
  );
  return run.status?.message ?? '';
}

describe('a repository over ssh', { skip }, () => {
  it('runs its Job, and after the key was changed at both ends again, without a restart', async (t) => {
    const { s, server, spec } = await start(t);
    await s.gitHook('app', spec);
    const first = await s.push({ 'job.yaml': jobManifest });
    await s.untilRun(first, ({ status }) => status?.phase === 'Running', 'Running');

    const next = await makeKey('ecdsa', ['-N', '', '-m', 'PEM']);
    await server.authorize([next.publicKey]);
    const second = await s.push({ 'job.yaml': jobManifest, second: '' });
    assert.match(await untilReason(s, 'app', second, 'AuthenticationFailed'), /refused the key/);

    await put(s.namespace, 'Secret', 'deploy', { key: next.privateKey.trimEnd() });
    const third = await s.push({ 'job.yaml': jobManifest, third: '' });
    await s.untilRun(third, ({ status }) => status?.phase === 'Running', 'Running');
    assert.ok(!s.kubeGit.output().includes(next.privateKey.split('\n')[2] ?? ''));
  });

  it('that cannot be read says why on the run and on the GitHook, each mistake in its own word', async (t) => {
    const { s, server, key, spec } = await start(t);
    const empty = await mkdtemp(join(tmpdir(), 'kube-git-empty-'));
    t.after(() => rm(empty, { recursive: true, force: true }));
    await mkdir(join(empty, 'acme'));
    const other = await startSshServer(t, sshd, {
      root: empty,
      authorizedKeys: [key.publicKey],
      hostKeys: ['ed25519'],
    });
    const host = (await server.knownHost('ed25519')).split(' ')[0];
    await put(s.namespace, 'Secret', 'keys', {
      encrypted: (await makeKey('ed25519', ['-N', 'a passphrase'])).privateKey,
      malformed: key.privateKey.slice(0, 200),
      stranger: (await makeKey('ed25519')).privateKey,
      empty: '',
      password: 'canary-password',
    });
    await put(s.namespace, 'ConfigMap', 'wrong', {
      key: `${host} ${key.publicKey}`,
      other: await other.knownHost('ed25519'),
    });
    const secret = (name: string, of = 'keys') => ({ sshPrivateKeySecret: { name: of, key: name } });
    const hosts = (name: string, of = 'wrong') => ({ knownHosts: { configMapKeyRef: { name: of, key: name } } });
    const { knownHosts, sshPrivateKeySecret, ...plain } = spec;
    const mistakes: readonly (readonly [string, string, Partial<GitHook['spec']>, RegExp])[] = [
      ['encrypted', 'KeyEncrypted', { ...spec, ...secret('encrypted') }, /passphrase/],
      ['malformed', 'KeyInvalid', { ...spec, ...secret('malformed') }, /is cut off/],
      ['stranger', 'AuthenticationFailed', { ...spec, ...secret('stranger') }, /add its public half there/],
      [
        'no-secret',
        'SecretNotFound',
        { ...spec, ...secret('x', 'none') },
        /no Secret "none".*spec\.sshPrivateKeySecret/,
      ],
      ['no-key', 'SecretKeyNotFound', { ...spec, ...secret('none') }, /no key "none".*Its keys: empty, encrypted/],
      ['empty-key', 'SecretKeyNotFound', { ...spec, ...secret('empty') }, /no key "empty" with a value/],
      [
        'no-map',
        'ConfigMapNotFound',
        { ...spec, ...hosts('x', 'none') },
        /no ConfigMap "none".*knownHosts\.configMapKeyRef/,
      ],
      ['no-map-key', 'ConfigMapKeyNotFound', { ...spec, ...hosts('none') }, /no key "none".*Its keys: key, other/],
      [
        'no-right',
        'NoPermission',
        { ...spec, serviceAccountName: 'nobody' },
        /"nobody".* (cannot get resource "secrets"|may not create Jobs)/,
      ],
      ['without', 'AuthenticationFailed', { ...plain, knownHosts }, /always needs a key: name the Secret/],
      [
        'password',
        'AuthenticationFailed',
        { ...plain, passwordSecret: { name: 'keys', key: 'password' } },
        /ssh takes a key, not a user name and password/,
      ],
      [
        'unknown',
        'HostKeyUnknown',
        { ...plain, sshPrivateKeySecret },
        /SHA256:\S+, and no ssh-ed25519 key is known for \[127/,
      ],
      ['mismatch', 'HostKeyMismatch', { ...spec, ...hosts('key') }, /SHA256:\S+, which is not the one known for \[127/],
      [
        'no-hosts',
        'KnownHostsInvalid',
        { ...spec, knownHosts: { secretKeyRef: { name: 'keys', key: 'password' } } },
        /spec\.knownHosts is wrong in line 1: /,
      ],
      [
        'elsewhere',
        'RepositoryNotFound',
        { ...spec, ...hosts('other'), repository: other.url(s.repository.name) },
        /or this key may not read it/,
      ],
    ];
    for (const [name, , wrong] of mistakes) await s.gitHook(name, { notification: {}, ...wrong });
    const commit = await s.push({ 'job.yaml': jobManifest });
    for (const [name, reason, , message] of mistakes) {
      assert.match(await untilReason(s, name, commit, reason), message, name);
      const ready = await waitFor(
        async () =>
          (await s.readGitHook(name)).status?.conditions?.find((one) => one.type === 'Ready' && one.reason === reason),
        { what: `GitHook ${name} to be ${reason}` },
      );
      assert.equal(ready.status, 'False');
      assert.match(ready.message, message);
    }
    assert.deepEqual(await s.jobs(), []);
    const said = `${s.kubeGit.output()}${JSON.stringify(await s.runs())}`;
    for (const canary of ['canary-password', key.privateKey.split('\n')[2] ?? '']) assert.ok(!said.includes(canary));
  });
});
