// What the CRDs refuse and in which words, what they accept and fill in, and how kubectl shows their objects: asked of a
// real API server, because only it knows how it reads a schema.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { typesOf } from '../hack/crd-types.ts';
import type { GitHook } from '../src/api/githook.ts';
import { ApiError, api, testNamespace } from './env/cluster.ts';

const group = '/apis/kubegit.appspero.com/v1alpha1';
const root = join(import.meta.dirname, '..');
const valid = { repository: 'https://github.com/acme/app.git', branches: ['main'], manifest: 'ci/job.yaml' };

/** A GitHook with these fields changed (undefined leaves one out); nothing is stored. */
function tryGitHook(namespace: string, changes: object, name = 'app'): Promise<GitHook> {
  return api('POST', `${group}/namespaces/${namespace}/githooks?dryRun=All&fieldValidation=Strict`, {
    apiVersion: 'kubegit.appspero.com/v1alpha1',
    kind: 'GitHook',
    metadata: { name },
    spec: { ...valid, ...changes },
  });
}

async function refusalOf(namespace: string, changes: object): Promise<string> {
  const error: unknown = await tryGitHook(namespace, changes).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ApiError, 'it was accepted');
  assert.equal(error.status, 422);
  return error.message;
}

const noUrl =
  /spec\.repository: .*is neither an http\(s\) nor an ssh URL: write https:\/\/github\.com\/acme\/app\.git, git@/;
const credentials = /spec\.repository: .*carries credentials: .*put them into a Secret and name it in usernameSecret/;
const dots = /spec\.manifest: .*contains "\.\.": write the path from the root of the repository, for example ci\/job/;
const noFile =
  /spec\.manifest: .*(names no file|is not the path of a file): write the path .*, for example ci\/job\.yaml/;
const noBranches = /spec\.branches: .*is empty, so no push would ever run: write \["\*"\] for every branch and tag/;

const refused: readonly (readonly [what: string, changes: object, message: RegExp])[] = [
  ['a path that leaves the repository', { manifest: '../job.yaml' }, dots],
  ['a path with .. inside', { manifest: 'ci/../job.yaml' }, dots],
  ['a path that ends in ..', { manifest: 'ci/..' }, dots],
  ['an empty path', { manifest: '' }, noFile],
  ['a path of dots and slashes', { manifest: './/.' }, noFile],
  ['the path of a folder', { manifest: 'ci/' }, noFile],
  ['a path of two lines', { manifest: 'ci\njob.yaml' }, noFile],
  ['no path', { manifest: undefined }, /spec\.manifest: Required value/],
  ['an empty list of branches', { branches: [] }, noBranches],
  ['no list of branches', { branches: undefined }, noBranches],
  ['an empty pattern', { branches: ['main', ''] }, /spec\.branches\[1\]: .*is an empty pattern: write "\*" for every/],
  ['no repository', { repository: undefined }, /spec\.repository: Required value/],
  ['an empty repository', { repository: '' }, noUrl],
  ['owner/name alone', { repository: 'acme/app' }, noUrl],
  ['a URL without a path', { repository: 'https://github.com' }, noUrl],
  ['a folder', { repository: '/srv/git/app.git' }, noUrl],
  ['a file URL', { repository: 'file:///srv/git/app.git' }, noUrl],
  ['a git URL', { repository: 'git://github.com/acme/app.git' }, noUrl],
  ['a remote helper', { repository: 'ext::sh -c id' }, noUrl],
  ['a remote helper before a URL', { repository: 'ext::https://github.com/acme/app.git' }, noUrl],
  ['an option for a host', { repository: 'ssh://-oProxyCommand=id/acme/app.git' }, noUrl],
  ['an option for a path', { repository: 'git@github.com:-upload-pack' }, noUrl],
  ['a URL with a query', { repository: 'https://github.com/acme/app.git?token=x' }, noUrl],
  ['a URL of two lines', { repository: 'https://github.com/acme/app.git\nx' }, noUrl],
  ['name and password in an http URL', { repository: 'https://ada:pw@github.com/acme/app.git' }, credentials],
  ['a token in an http URL', { repository: 'HTTPS://ghp_x@github.com/acme/app.git' }, credentials],
  ['a password in an ssh URL', { repository: 'ssh://git:pw@github.com/acme/app.git' }, credentials],
  ['an unknown injection', { environment: { injection: 'Off' } }, /environment\.injection: .*"Enabled", "Disabled"/],
  ['a repository of 1025 characters', { repository: `https://h/${'x'.repeat(1016)}` }, /spec\.repository: Too long/],
  ['a pattern of 257 characters', { branches: ['x'.repeat(257)] }, /spec\.branches\[0\]: Too long/],
  ['101 patterns', { branches: Array.from({ length: 101 }, () => 'main') }, /spec\.branches: Too many/],
  ['a path of 513 characters', { manifest: 'x'.repeat(513) }, /spec\.manifest: Too long/],
  ['no known hosts', { knownHosts: {} }, /spec\.knownHosts: .*must name either a ConfigMap or a Secret/],
  [
    'known hosts in two places',
    { knownHosts: { secretKeyRef: { name: 'x', key: 'y' }, configMapKeyRef: { name: 'x', key: 'y' } } },
    /spec\.knownHosts: .*must name either a ConfigMap or a Secret: write \{configMapKeyRef/,
  ],
  [
    'known hosts without a key',
    { knownHosts: { secretKeyRef: { name: 'x' } } },
    /must name a Secret of this namespace and a key/,
  ],
  ['an account of 254 characters', { serviceAccountName: 'x'.repeat(254) }, /spec\.serviceAccountName: Too long/],
  ['a context of 256 characters', { notification: { context: 'x'.repeat(256) } }, /notification\.context: Too long/],
];

describe('a GitHook is refused for', () => {
  for (const [what, changes, message] of refused) {
    it(what, async (t) => {
      assert.match(await refusalOf(await testNamespace(t), changes), message);
    });
  }

  for (const field of ['usernameSecret', 'passwordSecret', 'sshPrivateKeySecret']) {
    it(`a ${field} without a name or a key, which says both`, async (t) => {
      const namespace = await testNamespace(t);
      const advice = new RegExp(
        `spec\\.${field}: .*must name a Secret of this namespace and a key in it: write \\{name: `,
      );
      for (const reference of [{}, { name: 'x' }, { key: 'x' }, { name: '', key: 'x' }, { name: 'x', key: '' }])
        assert.match(await refusalOf(namespace, { [field]: reference }), advice, JSON.stringify(reference));
      const long = { name: 'x'.repeat(254), key: 'x' };
      assert.match(await refusalOf(namespace, { [field]: long }), /\.name: Too long/);
    });
  }

  it('a field that does not exist, where the client asks to be told', async (t) => {
    const trying = tryGitHook(await testNamespace(t), { branch: 'main' });
    await assert.rejects(trying, /unknown field "spec\.branch"/);
  });
});

const accepted: readonly string[] = [
  'https://github.com/acme/app.git',
  'https://github.com/acme/app',
  'https://github.com/acme/app/',
  'HTTPS://GitHub.COM/acme/app.git',
  'http://127.0.0.1:3000/acme/app.git',
  'http://[::1]:3000/acme/app.git',
  'https://git.example.com/a/b/c/d.git',
  'https://git.example.com/~ada/app%20two.git',
  'git@github.com:acme/app.git',
  'git@github.com:/srv/app.git',
  'ssh://git@github.com/acme/app.git',
  'ssh://github.com/acme/app.git',
  'ssh://git@[::1]:2222/acme/app.git',
  'ssh://git@git.example.com:2222/acme/app.git',
  'https://git.example.com/acme/@scope/app.git',
];

describe('a GitHook is accepted with', () => {
  for (const repository of accepted) {
    it(`the repository ${repository}`, async (t) => {
      const { spec } = await tryGitHook(await testNamespace(t), { repository });
      assert.equal(spec.repository, repository);
    });
  }

  for (const manifest of ['job.yaml', './ci/job.yaml', '/ci/job.yaml', 'ci/..job.yaml', 'ci/.hidden', 'ci/ä b.yaml']) {
    it(`the manifest ${manifest}`, async (t) => {
      const { spec } = await tryGitHook(await testNamespace(t), { manifest });
      assert.equal(spec.manifest, manifest);
    });
  }
});

describe('defaults', () => {
  it('enable the injection of variables where environment is given, and touch nothing else', async (t) => {
    const namespace = await testNamespace(t);
    assert.deepEqual((await tryGitHook(namespace, {})).spec, valid);
    const { spec } = await tryGitHook(namespace, { environment: {} });
    assert.deepEqual(spec.environment, { injection: 'Enabled' });
  });
});

describe('generated types', () => {
  it('say what the CRDs say', () => {
    execFileSync(process.execPath, [join(root, 'hack/generate.ts'), '--check'], { stdio: 'pipe' });
  });

  it('follow a change of a CRD', () => {
    const text = readFileSync(join(root, 'install/crds/githooks.yaml'), 'utf8');
    const types = (yaml: string): string => typesOf(load(yaml), 'a file');
    assert.doesNotMatch(types(text), /readonly added\?: string/);
    const changed = text.replace(/( +)suspend:\n/, '$1added: { type: string }\n$&');
    assert.match(types(changed), /readonly added\?: string/);
    assert.notEqual(types(text.replace('required: [repository, branches', 'required: [branches')), types(text));
  });
});
