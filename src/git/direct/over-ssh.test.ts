// Servers over ssh that are no git servers, or bad ones. What good ones give is in rungs.test.ts and ssh.test.ts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { anyCommit, leftovers, processesOf, until } from '../../../test/env/git-fixture.ts';
import { testSshRepository } from '../../../test/env/ssh-fixture.ts';
import { serveScript } from '../../../test/env/ssh-server.ts';
import { findSshd } from '../../../test/env/sshd.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;

const endless = "while printf 'fff0%65516s' x; do :; done 2>/dev/null";
const greeting = String.raw`printf '000eversion 2\n0011fetch=filter\n0000'`;
const script = (...lines: readonly string[]) => ['#!/bin/sh', ...lines, ''].join('\n');

describe('a read over ssh, object by object', { skip }, () => {
  const servers: readonly (readonly [string, string])[] = [
    ['says something else', script('echo Welcome to this server')],
    ['ends in the middle of a line', script("printf '000eversion'")],
    ['says nothing and ends', script('exit 1')],
    ['ends when it is asked', script(greeting, 'head -c 20 >/dev/null')],
    ['answers without end', script(greeting, endless)],
    ['says without end what it can', script(endless)],
  ];
  for (const [what, serve] of servers) {
    it(`leaves a server that ${what} to the git program, and nothing behind`, async (t) => {
      const fixture = await testSshRepository(t, sshd, { sshd: { serve } });
      await assert.rejects(fixture.read({ commit: anyCommit }), { reason: /^(FetchFailed|CommitNotFound)$/ });
      assert.match(fixture.lines.join(), /"way":"objects".*does not serve the commit this way/);
      assert.deepEqual(processesOf(fixture), []);
      assert.deepEqual(await leftovers(fixture), []);
    });
  }

  /** A server as it should be, but for logins while there is a file "bad" beside its repositories. */
  const unlessBad = (...lines: readonly string[]) =>
    serveScript.replace('\n', `\n[ ! -e "$ROOT/bad" ] || { ${lines.join('; ')}; exit 1; }\n`);

  it('takes a greeting without end for what it is, also where only the file is still to be read', async (t) => {
    const fixture = await testSshRepository(t, sshd, { sshd: { serve: unlessBad(endless) } });
    const commit = await fixture.repository.commit({ 'a.yaml': 'a', 'b.yaml': 'b' });
    assert.equal(await fixture.read({ commit, path: 'a.yaml' }), 'a');
    await writeFile(join(fixture.repository.path, '../../bad'), '');
    await assert.rejects(fixture.read({ commit, path: 'b.yaml' }), { reason: 'FetchFailed' });
  });

  it('is tried again for the next push where only a connection broke, and git had to be run', async (t) => {
    const broken = unlessBad('rm "$ROOT/bad"', String.raw`printf '000eversion 2\n'`);
    const fixture = await testSshRepository(t, sshd, { sshd: { serve: broken } });
    await writeFile(join(fixture.repository.path, '../../bad'), '');
    const refused: number[] = [];
    for (const text of ['first', 'second']) {
      const commit = await fixture.repository.commit({ 'job.yaml': text });
      assert.equal(await fixture.read({ commit, path: 'job.yaml' }), text);
      refused.push(fixture.lines.length);
    }
    assert.deepEqual(refused, [1, 1], 'git was run for the first only');
  });

  it('says so where there is no ssh', async (t) => {
    const programs = await mkdtemp(join(tmpdir(), 'kube-git-without-ssh-'));
    t.after(() => rm(programs, { recursive: true }));
    await symlink(
      execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim(),
      join(programs, 'git'),
    );
    const fixture = await testSshRepository(t, sshd, { settings: { environment: { PATH: programs } } });
    await assert.rejects(fixture.read({ commit: anyCommit }), {
      reason: 'FetchFailed',
      message: /^ssh cannot be started: .*not found/,
    });
    assert.deepEqual(await leftovers(fixture), []);
  });

  it('leaves a server that does not answer, at once on abort', async (t) => {
    const serve = script(greeting, 'head -c 20 >/dev/null', 'touch "$ROOT/asked"', 'exec sleep 600');
    const fixture = await testSshRepository(t, sshd, { sshd: { serve } });
    const asked = join(fixture.repository.path, '../../asked');
    const abort = new AbortController();
    const reading = fixture.read({ commit: anyCommit }, fixture.credentials, abort.signal);
    reading.catch(() => {});
    await until(() => existsSync(asked));
    abort.abort(new Error('the run was deleted'));
    await assert.rejects(reading, { message: 'the run was deleted' });
    assert.deepEqual(processesOf(fixture), []);
    assert.deepEqual(await leftovers(fixture), []);
  });

  it('asks git in the words that git uses for paths, escapes and homes', async (t) => {
    const fixture = await testSshRepository(t, sshd);
    const [, base = ''] = /^(ssh:\/\/[^/]+)\//.exec(fixture.url) ?? [];
    for (const path of ['/a%20b/c.git', '/~ada/app.git', "/it's!.git", '/%ff.git']) {
      await assert.rejects(fixture.read({ url: base + path, commit: anyCommit }));
    }
    const requests = (await fixture.server.requests()).map((request) => request.replace('version=2 ', ''));
    const times = [...new Set(requests)].map((request) => requests.filter((other) => other === request).length);
    assert.deepEqual(times, [2, 2, 2, 1], 'both ways ask for the same; what is no text is left to git');
  });
});
