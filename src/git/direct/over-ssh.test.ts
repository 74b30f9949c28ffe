// Servers over ssh that are no git servers, or bad ones. What good ones give is in rungs.test.ts and ssh.test.ts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { anyCommit, leftovers, processesOf, until } from '../../../test/env/git-fixture.ts';
import { testSshRepository } from '../../../test/env/ssh-fixture.ts';
import { findSshd } from '../../../test/env/sshd.ts';

const found = await findSshd();
const skip = typeof found === 'string' ? found : false;
const sshd = typeof found === 'string' ? { file: '' } : found;

const greeting = String.raw`printf '000eversion 2\n0011fetch=filter\n0000'`;
const script = (...lines: readonly string[]) => ['#!/bin/sh', ...lines, ''].join('\n');

describe('a read over ssh, object by object', { skip }, () => {
  const servers: readonly (readonly [string, string])[] = [
    ['says something else', script('echo Welcome to this server')],
    ['ends in the middle of a line', script("printf '000eversion'")],
    ['says nothing and ends', script('exit 1')],
    ['ends when it is asked', script(greeting, 'head -c 20 >/dev/null')],
    ['answers without end', script(greeting, "while printf 'fff0%65516s' x; do :; done 2>/dev/null")],
    ['says without end what it can', script("while printf 'fff0%65516s' x; do :; done 2>/dev/null")],
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

  it('says so where there is no ssh', async (t) => {
    const programs = await mkdtemp(join(tmpdir(), 'kube-git-without-ssh-'));
    t.after(() => rm(programs, { recursive: true }));
    await symlink(
      execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim(),
      join(programs, 'git'),
    );
    const fixture = await testSshRepository(t, sshd, { settings: { environment: { PATH: programs } } });
    await assert.rejects(fixture.read({ commit: anyCommit }), { reason: 'FetchFailed', message: /ssh/ });
    assert.deepEqual(await leftovers(fixture), []);
  });

  it('leaves a server that does not answer, at once on abort', async (t) => {
    const fixture = await testSshRepository(t, sshd, { sshd: { serve: script(greeting, 'exec sleep 600') } });
    const abort = new AbortController();
    const reading = fixture.read({ commit: anyCommit }, fixture.credentials, abort.signal);
    reading.catch(() => {});
    await until(() => processesOf(fixture).some(({ commandLine }) => commandLine.startsWith('ssh ')));
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
    const distinct = [...new Set(requests)];
    assert.equal(distinct.length, 4, 'our way and the git program ask for the same');
  });
});
