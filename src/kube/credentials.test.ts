import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { testCluster } from '../../test/env/cluster.ts';
import { configMaps, kubeFixture } from '../../test/env/kube-fixture.ts';
import { ManualClock } from '../../test/env/manual-clock.ts';
import { KubeClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import { execCredentials } from './exec-plugin.ts';
import { fileCredentials } from './file-credentials.ts';
import { ApiError } from './kube.ts';

const signal = new AbortController().signal;

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const { proxy, namespace } = await kubeFixture(t);
  const clock = new ManualClock();
  const file = join(folder, 'file');
  /** Lists with these credentials; the statuses of the requests it took. */
  const ask = (credentials: Credentials) => {
    const client = new KubeClient({ server: { url: new URL(proxy.url) }, credentials, clock });
    t.after(async () => client.close());
    return async (): Promise<(number | undefined)[]> => {
      const from = proxy.log.length;
      await client.list(configMaps, { namespace }).catch((error: unknown) => {
        assert.ok(error instanceof ApiError && error.status === 401);
        assert.ok(!error.message.includes('wrong'));
      });
      return proxy.log.slice(from).map(({ status }) => status);
    };
  };
  return { folder, file, clock, ask };
}

describe('a token file that is replaced', () => {
  const { token } = testCluster();

  it('is read again at once after a 401, and the call is made again with the new token', async (t) => {
    const { file, clock, ask } = await setUp(t);
    await writeFile(file, 'wrong-token');
    const credentials = fileCredentials({ token: file, where: 'test', clock });
    const list = ask(credentials);
    await credentials.current(signal);
    await writeFile(file, `${token}\n`);
    assert.deepEqual(await list(), [401, 200]);
    assert.deepEqual(await list(), [200]);
  });

  it('is read again after a minute', async (t) => {
    const { file, clock, ask } = await setUp(t);
    await writeFile(file, token);
    const list = ask(fileCredentials({ token: file, where: 'test', clock }));
    assert.deepEqual(await list(), [200]);
    await writeFile(file, 'wrong-token');
    await clock.advance(59_999);
    assert.deepEqual(await list(), [200]);
    await clock.advance(1);
    assert.deepEqual(await list(), [401, 401]);
    await writeFile(file, token);
    assert.deepEqual(await list(), [401, 200]);
  });

  it('is an error that names the file when it is missing or empty', async (t) => {
    const { file, clock } = await setUp(t);
    const credentials = fileCredentials({ token: file, where: 'the ServiceAccount', clock });
    await assert.rejects(credentials.current(signal), /^Error: the ServiceAccount: cannot read .*file \(ENOENT\)$/);
    await writeFile(file, '\n');
    await assert.rejects(credentials.current(signal), /file is empty/);
  });
});

describe('an exec plugin', () => {
  const { token } = testCluster();

  /** A program that counts its runs and answers with a token and its end. */
  async function plugin(t: TestContext, script: string, version = 'v1') {
    const parts = await setUp(t);
    await writeFile(parts.file, `#!/bin/sh\necho "$1 $STAGE $KUBERNETES_EXEC_INFO" >> ${parts.file}.runs\n${script}\n`);
    await chmod(parts.file, 0o755);
    const apiVersion = `client.authentication.k8s.io/${version}` as 'client.authentication.k8s.io/v1';
    const config = {
      apiVersion,
      command: './file',
      args: ['--login'],
      env: [{ name: 'STAGE', value: 'test' }],
      installHint: 'see the wiki',
    };
    const env = { PATH: process.env['PATH'] };
    const credentials = execCredentials({
      config,
      where: 'user u: exec',
      folder: parts.folder,
      env,
      clock: parts.clock,
    });
    const runs = async (): Promise<string[]> => (await readFile(`${parts.file}.runs`, 'utf8')).trim().split('\n');
    return { ...parts, credentials, runs };
  }

  function answer(status: object, version = 'v1'): string {
    return `echo '${JSON.stringify({ apiVersion: `client.authentication.k8s.io/${version}`, kind: 'ExecCredential', status })}'`;
  }

  it('is run with its arguments and environment, once until its token expires', async (t) => {
    const { credentials, runs, ask, clock } = await plugin(
      t,
      answer({ token, expirationTimestamp: '2026-11-22T12:10:00Z' }),
    );
    const list = ask(credentials);
    await Promise.all([list(), list(), list()]);
    await clock.advance(599_999);
    assert.deepEqual(await list(), [200]);
    const info =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}';
    assert.deepEqual(await runs(), [`--login test ${info}`]);
    await clock.advance(1);
    assert.deepEqual(await list(), [200]);
    assert.equal((await runs()).length, 2);
  });

  it('is run again after a 401, once a call', async (t) => {
    const { credentials, runs, ask } = await plugin(t, answer({ token: 'wrong-token' }, 'v1beta1'), 'v1beta1');
    const list = ask(credentials);
    assert.deepEqual(await list(), [401, 401]);
    assert.equal((await runs()).length, 2);
  });

  it('may give a certificate', async (t) => {
    const { credentials } = await plugin(t, answer({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    assert.deepEqual(await credentials.current(signal), {
      token: undefined,
      certificate: { cert: 'CERT', key: 'KEY' },
    });
  });

  for (const [what, script, message] of [
    ['fails', 'echo not logged in >&2; exit 3', /user u: exec: .\/file failed \(3\): not logged in \(see the wiki\)$/],
    ['says nothing', 'true', /user u: exec: the program's output is not JSON$/],
    [
      'says something else',
      'echo \'{"kind":"List","token":"secret"}\'',
      /ExecCredential: kind is missing or not as it should be$/,
    ],
    ['gives neither token nor certificate', answer({}), /gave neither a token nor a certificate$/],
  ] as const) {
    it(`is an error that says where and why when it ${what}`, async (t) => {
      const { credentials } = await plugin(t, script);
      await assert.rejects(credentials.current(signal), message);
    });
  }

  it('is an error with the hint when the program is not there', async (t) => {
    const { clock, folder } = await setUp(t);
    const config = {
      apiVersion: 'client.authentication.k8s.io/v1' as const,
      command: 'no-such-login',
      args: [],
      env: [],
      installHint: 'see the wiki',
    };
    const credentials = execCredentials({ config, where: 'user u: exec', folder, env: {}, clock });
    await assert.rejects(
      credentials.current(signal),
      /^Error: user u: exec: no-such-login was not found \(see the wiki\)$/,
    );
  });
});
