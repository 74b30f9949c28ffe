import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalRepository, ownerAndName } from './repository.ts';

const app = 'github.com/acme/app';

describe('canonicalRepository', () => {
  const spellings: readonly (readonly [url: string, canonical: string | undefined])[] = [
    ['https://github.com/acme/app.git', app],
    ['https://github.com/acme/app', app],
    ['https://github.com/acme/app/', app],
    ['https://github.com/acme/app.git/', app],
    ['HTTPS://GitHub.com/Acme/App.GIT', app],
    ['https://github.com:443/acme/app.git', app],
    ['https://github.com./acme/app', app],
    ['http://github.com//acme//app', app],
    ['https://user:pa@ss@github.com/acme/app', app],
    ['https://github.com/%61cme/app%2Egit', app],
    ['git://github.com/acme/app.git', app],
    ['git@github.com:acme/app.git', app],
    ['git@github.com:/acme/app.git', app],
    ['git@github.com:acme/app', app],
    ['ssh://git@github.com/acme/app.git', app],
    ['ssh://git@github.com:22/acme/app.git', app],
    ['ssh://git@ssh.github.com:443/acme/app.git', app],
    ['ssh://git@altssh.gitlab.com:443/group/sub/app.git', 'gitlab.com/group/sub/app'],
    ['ssh://git@altssh.bitbucket.org:443/acme/app.git', 'bitbucket.org/acme/app'],
    ['ssh://git@git.example.com:2222/acme/app.git', 'git.example.com/acme/app'],
    ['https://[2001:DB8::1]:8443/acme/app.git', '[2001:db8::1]/acme/app'],
    ['git@[2001:db8::1]:acme/app.git', '[2001:db8::1]/acme/app'],
    ['https://github.com/acme/app.git.git', 'github.com/acme/app.git'],
    ['https://github.com/acme/100%25', 'github.com/acme/100%'],
    ['https://github.com/acme/100%2525', 'github.com/acme/100%25'],
    ['https://github.com/acme/a(b+)+$.*', 'github.com/acme/a(b+)+$.*'],
    ['', undefined],
    ['github.com/acme/app', undefined],
    ['github.com:acme/app', undefined],
    ['file:///srv/app.git', undefined],
    ['ext::sh -c touch% /tmp/p', undefined],
    ['https://github.com', undefined],
    ['https://github.com/', undefined],
    ['https://github.com/.git', undefined],
    ['https:///acme/app', undefined],
    ['https://github.com/acme/../other', undefined],
    ['https://github.com/acme/%2e%2e/other', undefined],
    ['https://github.com/acme/app?x=1', undefined],
    ['https://github.com/acme/app#x', undefined],
    ['https://github.com/acme/a b', undefined],
    ['https://github.com/acme/a\nb', undefined],
    ['https://github.com/acme/%0a', undefined],
    ['https://github.com/acme/%zz', undefined],
    ['ssh://-oProxyCommand=x/acme/app', undefined],
    ['git@-oProxyCommand=x:acme/app', undefined],
    [`https://github.com/${'a'.repeat(3000)}`, undefined],
  ];
  for (const [url, canonical] of spellings) {
    it(`makes ${canonical ?? 'nothing'} of ${JSON.stringify(url).slice(0, 80)}`, () => {
      assert.equal(canonicalRepository(url), canonical);
    });
  }

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void canonicalRepository(text)));
    const hostile = fc.constantFrom('https://', 'ssh://', 'git@', ':', '/', '%', '.git', '..', '[', ']', '@', 'a', '2');
    fc.assert(fc.property(fc.array(hostile), (parts) => void canonicalRepository(parts.join(''))));
  });

  it('gives one name to all spellings of a repository', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 1, maxLength: 12 });
    const host = letters.map((text) => `h${text}.example.com`);
    const path = fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(host, path, fc.integer({ min: 1, max: 65535 }), (h, p, port) => {
        const urls = [
          `https://${h}/${p}.git`,
          `http://${h}:${port}/${p}/`,
          `https://user:password@${h.toUpperCase()}/${p}`,
          `ssh://git@${h}:${port}/${p}.git`,
          `git://${h}/${p}`,
          `git@${h}:${p}.git`,
          `git@${h}:/${p.toUpperCase()}`,
        ];
        assert.deepEqual([...new Set(urls.map(canonicalRepository))], [`${h}/${p}`.toLowerCase()]);
      }),
    );
  });
});

describe('ownerAndName', () => {
  it('gives the last two segments as they are written', () => {
    assert.deepEqual(ownerAndName('https://github.com/Acme/App.git'), { owner: 'Acme', name: 'App' });
    assert.deepEqual(ownerAndName('git@git.example.com:group/Sub/app'), { owner: 'Sub', name: 'app' });
  });

  it('gives nothing where there are not two', () => {
    assert.equal(ownerAndName('https://github.com/app.git'), undefined);
    assert.equal(ownerAndName('nonsense'), undefined);
  });
});
