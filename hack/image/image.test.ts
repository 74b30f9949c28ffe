// The whole image, made and run on this machine: its programs in a file system of their own, and a pod of it.
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { version } from '../../src/config.ts';
import { createAuthority } from '../../test/env/certificates.ts';
import { startGitServer } from '../../test/env/git-server.ts';
import { startClusterWithNode } from '../../test/env/node/cluster-with-node.ts';
import { run } from '../../test/env/node/command.ts';
import { makeKey, startSshServer } from '../../test/env/ssh-server.ts';
import { findSshd } from '../../test/env/sshd.ts';
import { startTlsFront } from '../../test/env/tls-front.ts';
import type { Archive } from './archive.ts';
import { buildImage } from './build.ts';
import { user } from './root.ts';

const enabled = process.env['KUBEGIT_TEST_NODE'] === '1';
const skip = enabled ? false : 'needs root, Debian and minutes: set KUBEGIT_TEST_NODE=1 to run it';
/** Each build takes about a minute on two idle cores. */
const timeout = 600_000;
const name = 'docker.io/library/kube-git:test';
const log = (line: string) => console.log(line);

describe('the image', { skip, timeout }, () => {
  let folder = '';
  let file = '';
  let inside = '';
  let made: Archive;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kube-git-whole-image-'));
    file = join(folder, 'image.tar');
    made = await buildImage({ name, file, log });
    inside = await unpack(folder, file);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is the same when it is made again, and below 80 MiB', async () => {
    assert.ok(made.bytes < 80 * 1024 ** 2, `${made.bytes} bytes`);
    const again = await buildImage({ name, file: join(folder, 'again.tar'), log });
    assert.equal(again.digest, made.digest);
    assert.ok((await readFile(file)).equals(await readFile(join(folder, 'again.tar'))));
  });

  it('runs kube-git as a user without rights, with no package manager, no perl and no setuid program', async () => {
    const script =
      'node /usr/lib/kube-git/kube-git.mjs -version; for p in perl apt-get dpkg; do command -v $p; done; :';
    assert.equal(await runInside(inside, script), `kube-git ${version}\n`);
    assert.equal((await run(['find', inside, '-perm', '/6000'])).trim(), '');
  });

  it('fetches over http, https and ssh, and trusts no certificate that it does not know', async (t) => {
    const server = await startGitServer();
    t.after(() => server.stop());
    const repository = await server.createRepository('acme/app');
    const commit = await repository.commit({ 'ci/job.yaml': 'kind: Job\n' });
    const show = (url: string, settings = '') =>
      runInside(inside, `${settings} ${fetchAndShow}`, [url, commit, `/tmp/${Math.random()}`]);

    assert.equal(await show(`${server.url}/acme/app.git`), 'kind: Job\n');

    const authority = createAuthority('test');
    const { port } = await startTlsFront(t, {
      target: new URL(server.url),
      pair: authority.issue({ commonName: 'git', names: ['127.0.0.1'] }),
    });
    await writeFile(join(inside, 'tmp/ca.crt'), authority.certificate);
    const url = `https://127.0.0.1:${port}/acme/app.git`;
    await assert.rejects(show(url), /server certificate verification failed/);
    assert.equal(await show(url, 'export GIT_SSL_CAINFO=/tmp/ca.crt;'), 'kind: Job\n');
    await appendFile(join(inside, 'etc/ssl/certs/ca-certificates.crt'), authority.certificate);
    assert.equal(await show(url), 'kind: Job\n'); // so it reads that file, and trusts the authorities in it

    const sshd = await findSshd();
    if (typeof sshd === 'string') return t.diagnostic(`without ssh: ${sshd}`);
    const key = await makeKey('ed25519');
    const ssh = await startSshServer(t, sshd, { root: server.root, authorizedKeys: [key.publicKey] });
    await writeFile(join(inside, 'tmp/known_hosts'), await ssh.knownHost('ed25519'));
    await writeFile(join(inside, 'tmp/key'), key.privateKey, { mode: 0o600 });
    await run(['chown', String(user), join(inside, 'tmp/key')]);
    const command = 'ssh -F none -i /tmp/key -o BatchMode=yes -o UserKnownHostsFile=/tmp/known_hosts';
    assert.equal(await show(ssh.url('acme/app'), `export GIT_SSH_COMMAND='${command}';`), 'kind: Job\n');
  });

  it('is loaded by containerd and runs as a pod that may do nothing', async (t) => {
    const cluster = await startClusterWithNode({ log });
    t.after(() => cluster.stop());
    await cluster.importImage(file);
    const manifest = join(folder, 'pod.json');
    await writeFile(manifest, JSON.stringify(pod));
    await cluster.kubectl(['apply', '-f', manifest]);
    await cluster.kubectl(['wait', 'pod/version', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=90s']);
    assert.equal(await cluster.kubectl(['logs', 'version']), `kube-git ${version}\n`);
  });
});

/** As the restricted pod security standard wants it. */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'version' },
  spec: {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'kube-git',
        image: 'kube-git:test',
        imagePullPolicy: 'Never',
        args: ['-version'],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  },
};

/** $1 URL, $2 commit, $3 a folder that is not there. */
const fetchAndShow =
  'git init -q --bare "$3" && cd "$3" && git fetch -q --depth=1 -- "$1" "$2" && git show "$2:ci/job.yaml"';

/** The image's files, as a container has them. */
async function unpack(folder: string, file: string): Promise<string> {
  const [layout, inside] = [join(folder, 'layout'), join(folder, 'inside')];
  for (const path of [layout, inside]) await mkdir(path);
  await run(['tar', '-C', layout, '-xf', file]);
  const [{ Layers }] = JSON.parse(await readFile(join(layout, 'manifest.json'), 'utf8')) as [{ Layers: string[] }];
  for (const layer of Layers) await run(['tar', '-C', inside, '-xzpf', join(layout, layer)]);
  return inside;
}

/** The script's output, run in the image's files by the image's user. */
async function runInside(inside: string, script: string, args: readonly string[] = []): Promise<string> {
  const enter = `mount --bind /dev "$1/dev" && shift && exec chroot --userspec=${user}:${user} "$@"`;
  const shell = [inside, '/bin/sh', '-c', script, 'sh', ...args];
  const env = { PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/tmp', LC_ALL: 'C' };
  return run(['unshare', '--mount', 'sh', '-c', enter, 'sh', inside, ...shell], { env, cwd: '/' });
}
