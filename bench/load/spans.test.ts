import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spans } from './spans.ts';

const runs = '/apis/kubegit.appspero.com/v1alpha1/namespaces/n/githookruns';
const body = JSON.stringify({ metadata: { name: 'hook-2' } });
const seen = (method: string, path: string, at: number, answeredAt: number) => ({ method, path, at, answeredAt, body });

const api = [
  seen('POST', runs, 1, 2), // of the push before
  seen('PUT', `${runs}/hook-1/status`, 11, 12), // the same
  seen('POST', runs, 13, 17),
  seen('GET', `${runs}/hook-2`, 18, 19),
  seen('PUT', `${runs}/hook-2/status`, 30, 36),
  seen('POST', '/apis/batch/v1/namespaces/n/jobs', 37, 42),
  seen('PUT', `${runs}/hook-2/status`, 43, 44),
];
const git = [
  seen('POST', '/acme/app.git/git-upload-pack', 20, 23),
  seen('POST', '/acme/app.git/git-upload-pack', 24, 28),
];

describe('the steps of a push', () => {
  it('follow each other from the delivery until the Job is created, and are of this push alone', () => {
    const found = spans({ from: 10, api, git });
    assert.deepEqual(
      found.map(({ ms }) => ms),
      [3, 4, 3, 8, 2, 6, 1, 5],
    );
    assert.equal(
      found.reduce((sum, { ms }) => sum + ms, 0),
      42 - 10,
    );
  });

  it('are a mistake where one was not seen', () => {
    assert.throws(() => spans({ from: 10, api: api.slice(0, 5), git }), /not seen/);
  });
});
