import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkSshUrl, sshTarget } from './ssh-url.ts';

/** URL → destination, port and path, as git hands them to ssh. */
const cases: readonly (readonly [string, readonly [string, string | undefined, string] | undefined])[] = [
  ['git@github.com:acme/app.git', ['git@github.com', undefined, 'acme/app.git']],
  ['ada@host:/srv/app.git', ['ada@host', undefined, '/srv/app.git']],
  ['git@host:~ada/app.git', ['git@host', undefined, '~ada/app.git']],
  ['git@host:/~ada/app.git', ['git@host', undefined, '~ada/app.git']],
  ['git@host:x~y.git', undefined], // of which git makes ~y.git
  ['git@host://app.git', undefined], // which git takes for a URL
  ['ssh://host/acme/app.git', ['git@host', undefined, '/acme/app.git']],
  ['ssh://ada@host:2222/acme/app.git', ['ada@host', '2222', '/acme/app.git']],
  ['ssh://git@[2001:db8::1]:22/app.git', ['git@2001:db8::1', '22', '/app.git']],
  ['ssh://git@[::1]/app.git', ['git@::1', undefined, '/app.git']],
  ['ssh://git@host/a%20b/c+d.git', ['git@host', undefined, '/a b/c+d.git']],
  ['ssh://git@host/%7Eada/app.git', ['git@host', undefined, '~ada/app.git']],
  ['ssh://git@host/%ff.git', undefined], // no text
];

describe('sshTarget', () => {
  for (const [url, target] of cases) {
    it(`of ${url}`, () => {
      const checked = checkSshUrl(url);
      assert.ok(checked);
      const [destination, port, path] = target ?? [];
      assert.deepEqual(sshTarget(checked.url), target && { destination, port, path });
    });
  }
});
