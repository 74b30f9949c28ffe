import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anyCommit } from '../../test/env/git-fixture.ts';
import type { FileAtCommit } from './git.ts';
import { checkCredentials, checkFile } from './validate.ts';

const good: FileAtCommit = {
  url: 'https://git.example.com/a/b.git',
  commit: anyCommit,
  ref: 'refs/heads/main',
  path: 'job.yaml',
};

describe('checkFile', () => {
  const urls: readonly [string, string][] = [
    ['https://github.com/acme/app', 'https://github.com/acme/app'],
    ['HTTPS://GitHub.com/Acme/App.git', 'https://github.com/Acme/App.git'],
    ['http://10.0.0.1:3000/a/b', 'http://10.0.0.1:3000/a/b'],
    ['https://[::1]:8443/a/b.git', 'https://[::1]:8443/a/b.git'],
    ["https://h/a/b'$(id)'.git", "https://h/a/b'$(id)'.git"],
    ['https://h/-x/--upload-pack=y', 'https://h/-x/--upload-pack=y'],
  ];
  for (const [url, expected] of urls) {
    it(`takes ${url}`, () => assert.equal(checkFile({ ...good, url }).url, expected));
  }

  const badUrls = [
    ...[
      '',
      'github.com/acme/app',
      '/etc/passwd',
      'file:///etc/passwd',
      'ext::sh -c touch% /tmp/p',
      'fd::0',
      'git://h/a/b',
    ],
    ...[
      '--upload-pack=touch /tmp/p',
      '-oProxyCommand=x',
      '-c core.pager=x',
      '-u./x',
      'ftp://h/a',
      'http:/h/a',
      'https:h/a',
    ],
    ...[
      'https://',
      'https:///a',
      'https://-oProxyCommand=x/a',
      'https://h',
      'https://h/',
      'https://h/a?x=1',
      'https://h/a#b',
    ],
    ...[
      'https://user:hunter2@h/a',
      'https://hunter2@h/a',
      'https://h\\@evil/a',
      'https://h/a b',
      'https://h/a\nb',
      'https://h/a\0',
    ],
    ...[
      'https://h/a%0ahost=evil',
      'https://h/a%0D',
      'https://h/a%00',
      'https://h:99999/a',
      ' https://h/a',
      'https://h/a\r',
    ],
    ...[
      'ssh://-oProxyCommand=touch /a',
      'ssh://-oProxyCommand=x/a',
      'ssh://-l@h/a',
      'ssh://git@-x/a',
      'ssh://@h/a',
      'ssh://h',
      'ssh://h/',
      'ssh://h:0/a',
      'ssh://h:65536/a',
      'ssh://h:x/a',
    ],
    ...['ssh://git:hunter2@h/a', 'ssh://h/a%0ab', 'ssh://h/a\nb', 'ssh://h/a b', 'ssh://h/a?b', 'ssh://h%20/a'],
    ...['-oProxyCommand=x@h:a', 'git@-oProxyCommand=x:a', 'git@h:-oProxyCommand=x', 'git@h:', 'git@h:a b', 'git@h:a\n'],
    ...['ssh::git@h:a', 'git+ssh://h/a', 'h:a', '/a:b', 'git@h/x:y', `git@h:${'a'.repeat(3000)}`],
    ...['https://h/a\u2028b', `https://h/${'a'.repeat(3000)}`, 'https::https://h/a'],
  ];
  for (const url of badUrls) {
    it(`refuses the URL ${JSON.stringify(url).slice(0, 60)}`, () => {
      assert.throws(
        () => checkFile({ ...good, url }),
        (error: Error & { reason: string }) => {
          assert.equal(error.reason, 'InvalidRepository');
          assert.doesNotMatch(error.message, /hunter2|\p{Cc}/u);
          assert.ok(error.message.length < 400);
          return true;
        },
      );
    });
  }

  const sshUrls: readonly [string, string, string][] = [
    ['git@github.com:acme/app.git', 'git@github.com:acme/app.git', 'ssh://github.com'],
    ['ada@host:/srv/a.git', 'ada@host:/srv/a.git', 'ssh://host'],
    ["git@h:a'$(id)'b.git", "git@h:a'$(id)'b.git", 'ssh://h'],
    ['ssh://git@h:2222/a', 'ssh://git@h:2222/a', 'ssh://h:2222'],
    ['SSH://h/~ada/a%20b.git', 'ssh://git@h/~ada/a%20b.git', 'ssh://h'],
    ['ssh://git@[::1]:2222/a', 'ssh://git@[::1]:2222/a', 'ssh://[::1]:2222'],
    ["ssh://h/a'$(id)'b", "ssh://git@h/a'$(id)'b", 'ssh://h'],
    ['ssh://h/-x', 'ssh://git@h/-x', 'ssh://h'],
  ];
  for (const [url, expected, origin] of sshUrls) {
    it(`takes ${url}`, () => {
      const { url: taken, origin: host, scheme } = checkFile({ ...good, url });
      assert.deepEqual([taken, host, scheme], [expected, origin, 'ssh']);
    });
  }

  const badCommits = [
    '',
    'main',
    'HEAD',
    anyCommit.slice(1),
    `${anyCommit}0`,
    anyCommit.toUpperCase(),
    `${anyCommit}\n`,
  ];
  for (const commit of [
    ...badCommits,
    '0'.repeat(40),
    '--upload-pack=touch /tmp/p'.padEnd(40, 'a'),
    `${anyCommit.slice(1)}^`,
  ]) {
    it(`refuses the commit ${JSON.stringify(commit)}`, () => {
      assert.throws(() => checkFile({ ...good, commit }), { name: 'TerminalError', reason: 'InvalidCommit' });
    });
  }

  for (const ref of [
    'refs/heads/main',
    'refs/tags/v1.0',
    'refs/heads/feature/a;$(id)`x`',
    'refs/heads/ä\'"&|',
    'refs/heads/-x',
    'refs/heads/__proto__',
  ]) {
    it(`takes the ref ${ref}`, () => assert.equal(checkFile({ ...good, ref }).ref, ref));
  }
  const badRefs = [
    ...[
      '',
      'main',
      'HEAD',
      'refs/heads',
      'refs/heads/',
      'refs/heads/a..b',
      'refs/heads/../../x',
      'refs//heads/a',
      'refs/heads/a:b',
    ],
    ...[
      'refs/heads/a b',
      'refs/heads/a\nb',
      'refs/heads/.a',
      'refs/heads/a.lock',
      'refs/heads/a~1',
      'refs/heads/*',
      'refs/heads/a^',
    ],
    ...[
      'refs/heads/a@{1}',
      'refs/heads/a\\b',
      'refs/heads/a.',
      '--upload-pack=touch /tmp/p',
      '+refs/heads/a',
      'refs/heads/\ud800',
    ],
  ];
  for (const ref of badRefs) {
    it(`refuses the ref ${JSON.stringify(ref)}`, () => {
      assert.throws(() => checkFile({ ...good, ref }), { name: 'TerminalError', reason: 'InvalidRef' });
    });
  }

  const paths: readonly [string, string][] = [
    ['job.yaml', 'job.yaml'],
    ['./ci/job.yaml', 'ci/job.yaml'],
    ['/ci/job.yaml', 'ci/job.yaml'],
    ['//a/.//b/./c', 'a/b/c'],
    ['/etc/passwd', 'etc/passwd'],
    ['--upload-pack=x', '--upload-pack=x'],
    ['..a/b..', '..a/b..'],
  ];
  for (const [path, expected] of paths) {
    it(`takes the path ${path} for ${expected}`, () => assert.equal(checkFile({ ...good, path }).path, expected));
  }
  const badPaths = [
    '',
    '.',
    '/',
    './',
    '..',
    '../x',
    'a/../../x',
    'a/..',
    'a/',
    'a/.',
    'a\0b',
    'a\nb',
    'a\x7fb',
    '\ud800',
    'a'.repeat(4096),
  ];
  for (const path of badPaths) {
    it(`refuses the path ${JSON.stringify(path).slice(0, 40)}`, () => {
      assert.throws(() => checkFile({ ...good, path }), {
        name: 'TerminalError',
        reason: 'InvalidPath',
        message: /^spec.manifest /,
      });
    });
  }
});

describe('checkCredentials', () => {
  const https = checkFile(good);
  const http = checkFile({ ...good, url: 'http://git.example.com/a/b.git' });

  it('refuses a password over plain http and names the flag', () => {
    assert.throws(
      () => checkCredentials(http, { password: 'canary' }, false),
      (error: Error & { reason: string }) => {
        assert.equal(error.reason, 'InsecureCredentials');
        assert.match(error.message, /-allow-insecure-credentials/);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      },
    );
  });

  it('lets pass https, plain http without credentials, and what the flag allows', () => {
    checkCredentials(https, { username: 'u', password: 'p' }, false);
    checkCredentials(http, {}, false);
    checkCredentials(http, { username: '', password: '' }, false);
    checkCredentials(http, { password: 'p' }, true);
  });
});
