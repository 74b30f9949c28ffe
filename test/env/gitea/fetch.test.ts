// kube-git's reads from a real Gitea, over http and ssh: the rungs of src/git/rungs.test.ts at a real forge.
import { after, before, type TestContext } from 'node:test';
import { type Rung, type RungOptions, testRung } from '../fetch-contract.ts';
import { testSource } from '../git-fixture.ts';
import { startGitServer } from '../git-server.ts';
import { makeKey } from '../ssh-server.ts';
import type { GiteaRepository } from './client.ts';
import { type Gitea, startGitea } from './gitea.ts';

const enabled = process.env['KUBEGIT_TEST_GITEA'] === '1';
const skip = enabled
  ? false
  : 'needs Go and a C compiler (5 minutes the first time): set KUBEGIT_TEST_GITEA=1 to run it';

let gitea: Gitea;
let count = 0;

before(async () => {
  if (enabled) gitea = await startGitea({ log: (line) => console.log(line) });
});
after(() => gitea?.stop());

interface Shape {
  readonly scheme: 'http' | 'ssh';
  readonly direct: boolean;
}

async function open(t: TestContext, shape: Shape): Promise<Rung> {
  const local = await startGitServer(); // which is only written to
  t.after(() => local.stop());
  const repository = await local.createRepository('acme/app');
  const there = await gitea.createRepository(`read-${++count}`, { private: true });
  const source = await testSource(t, { direct: shape.direct });
  const url = urlOf(there, shape);
  const credentials = await credentialsFor(there, shape);
  const login = Buffer.from(`${gitea.username}:${gitea.token}`).toString('base64');
  const asAdmin = ['-c', `http.extraHeader=Authorization: Basic ${login}`];
  return {
    ...source,
    repository,
    url,
    missingUrl: url.replace(/read-\d+/, 'none'),
    push: async () => void (await repository.git([...asAdmin, 'push', '--quiet', '--force', there.httpUrl, 'main'])),
    read: (file) => source.read({ url, ...file }, credentials),
  };
}

function urlOf({ httpUrl, sshUrl }: GiteaRepository, { scheme }: Shape): string {
  return scheme === 'ssh' ? sshUrl : httpUrl;
}

async function credentialsFor({ name }: GiteaRepository, { scheme }: Shape) {
  if (scheme === 'http') return { username: gitea.username, password: gitea.token };
  const { privateKey, publicKey } = await makeKey('ed25519');
  await gitea.addDeployKey(name, publicKey);
  return { sshPrivateKey: privateKey, knownHosts: gitea.knownHosts };
}

function testGitea(name: string, shape: Shape, refused: RungOptions['refused'] = []): void {
  testRung(name, { skip, refused, open: (t) => open(t, shape) });
}

testGitea('Gitea', { scheme: 'http', direct: true });
testGitea('Gitea, with the git program', { scheme: 'http', direct: false });
testGitea('Gitea over ssh', { scheme: 'ssh', direct: true });
testGitea('Gitea over ssh, with the git program', { scheme: 'ssh', direct: false });
