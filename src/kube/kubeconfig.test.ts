import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadKubeConfig } from './kubeconfig.ts';

const twoContexts = join(import.meta.dirname, 'testdata', 'two-contexts.yaml');
const signal = new AbortController().signal;

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kubeconfig-test-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** A kubeconfig whose only cluster has this address. */
async function write(path: string, server: string): Promise<string> {
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c' } }],
    clusters: [{ name: 'c', cluster: { server } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

describe('loadKubeConfig', () => {
  it('takes the flag before KUBECONFIG, and that before the pod and the home folder', async (t) => {
    const home = await folder(t);
    await mkdir(join(home, '.kube'));
    await write(join(home, '.kube', 'config'), 'https://home');
    const flag = await write(join(home, 'flag'), 'https://flag');
    const second = await write(join(home, 'second'), 'https://second');
    const listed = `${join(home, 'none')}:${second}:${flag}`;
    const env = { HOME: home, KUBECONFIG: listed };
    assert.equal((await loadKubeConfig({ kubeconfig: flag, env })).server.url.host, 'flag');
    assert.equal((await loadKubeConfig({ kubeconfig: '', env })).server.url.host, 'second');
    assert.equal((await loadKubeConfig({ env: { HOME: home } })).server.url.host, 'home');
  });

  it("takes the pod's ServiceAccount where there is one, and its token as the file says now", async (t) => {
    const path = await folder(t);
    for (const [name, text] of [
      ['token', 'pod-token\n'],
      ['ca.crt', 'PEM'],
      ['namespace', 'kube-git'],
    ] as const) {
      await writeFile(join(path, name), text);
    }
    const env = { HOME: path, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    const config = await loadKubeConfig({ env, serviceAccountFolder: path });
    assert.equal(config.server.url.href, 'https://[fd00::1]:6443/');
    assert.deepEqual([config.server.ca, config.namespace], ['PEM', 'kube-git']);
    assert.deepEqual(await config.credentials.current(signal), { token: 'pod-token', certificate: undefined });
  });

  it("takes the file's current context, or the one that is asked for", async () => {
    const current = await loadKubeConfig({ kubeconfig: twoContexts, env: {} });
    assert.equal(current.server.url.href, 'https://127.0.0.1:41234/');
    assert.equal(current.server.insecureSkipTlsVerify, true);
    assert.equal(current.namespace, 'default');
    assert.equal((await current.credentials.current(signal)).token, 'first-token');
    assert.equal(current.source, `context kind-dev of ${twoContexts}`);
    const other = await loadKubeConfig({ kubeconfig: twoContexts, context: 'production', env: {} });
    assert.equal(other.server.url.href, 'https://rancher.example.com/k8s/clusters/c-m-abc123');
    assert.deepEqual([other.server.serverName, other.namespace], ['rancher.internal', 'builds']);
    const anonymous = await loadKubeConfig({ kubeconfig: twoContexts, context: 'anonymous', env: {} });
    assert.equal((await anonymous.credentials.current(signal)).token, undefined);
  });

  it('lets -master take the place of the address, and stand alone where there is nothing else', async () => {
    const master = 'http://127.0.0.1:8001';
    const config = await loadKubeConfig({ kubeconfig: twoContexts, master, env: {} });
    assert.equal(config.server.url.href, 'http://127.0.0.1:8001/');
    assert.equal((await config.credentials.current(signal)).token, 'first-token');
    const alone = await loadKubeConfig({ master, env: { HOME: '/nonexistent' } });
    assert.deepEqual([alone.server.url.host, alone.source], ['127.0.0.1:8001', '-master']);
  });

  for (const [what, options, message] of [
    ['there is nothing', { env: { HOME: '/nonexistent' } }, /no Kubernetes found: .*-kubeconfig, KUBECONFIG/],
    [
      'KUBECONFIG names nothing',
      { env: { KUBECONFIG: '/nonexistent/a:/nonexistent/b' } },
      /KUBECONFIG names no file that exists: \/nonexistent\/a/,
    ],
    [
      'the file is not there',
      { kubeconfig: '/nonexistent/c', env: {} },
      /kubeconfig: cannot read \/nonexistent\/c \(ENOENT\)/,
    ],
    [
      'the context is not there',
      { kubeconfig: twoContexts, context: 'other', env: {} },
      /two-contexts.yaml: contexts: there is none named other/,
    ],
    [
      '-master has no scheme',
      { kubeconfig: twoContexts, master: 'localhost:8080', env: {} },
      /-master: must be an address that begins with https/,
    ],
    [
      '-master holds a password',
      { master: 'https://u:secret@host', env: {} },
      /^Error: -master: must not hold a user or a password$/,
    ],
    [
      "the pod's certificate is missing",
      { env: { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, serviceAccountFolder: '/nonexistent' },
      /cannot read \/nonexistent\/ca.crt/,
    ],
  ] satisfies [string, Parameters<typeof loadKubeConfig>[0], RegExp][]) {
    it(`says what is wrong when ${what}`, async () => {
      await assert.rejects(loadKubeConfig(options), message);
    });
  }
});
