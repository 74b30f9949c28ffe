import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fingerprint, knownHostsFile } from './known-hosts.ts';

/**
 * The fingerprints that the forges publish, apart from their keys: docs.github.com "GitHub's SSH key fingerprints",
 * docs.gitlab.com "GitLab.com settings", support.atlassian.com "Configure SSH and two-step verification".
 */
const published: Readonly<Record<string, string>> = {
  'github.com ssh-ed25519': 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
  'github.com ecdsa-sha2-nistp256': 'SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM',
  'github.com ssh-rsa': 'SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s',
  'gitlab.com ssh-ed25519': 'SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8',
  'gitlab.com ecdsa-sha2-nistp256': 'SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw',
  'gitlab.com ssh-rsa': 'SHA256:ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ',
  'bitbucket.org ssh-ed25519': 'SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM',
  'bitbucket.org ecdsa-sha2-nistp256': 'SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0',
  'bitbucket.org ssh-rsa': 'SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E',
};

describe('knownHostsFile', () => {
  it('holds the keys of GitHub, GitLab.com and Bitbucket Cloud, whose fingerprints are the published ones', () => {
    const lines = knownHostsFile([]).trimEnd().split('\n');
    const shown = lines.map((line) => {
      const [hosts = '', kind = '', key = ''] = line.split(' ');
      return [`${hosts.split(',')[0]} ${kind}`, fingerprint(key)];
    });
    assert.deepEqual(Object.fromEntries(shown), published);
  });

  it('adds lines, and leaves out comments and empty lines', () => {
    const [, kind, key] = knownHostsFile([]).split(/\s/);
    const line = `@revoked [git.example.com]:2222 ${kind} ${key} why`;
    const file = knownHostsFile([{ from: 'x', text: `# x\r\n\r\n  ${line}\r\n` }]);
    assert.ok(file.endsWith(`\n${line}\n`));
    assert.doesNotMatch(file, /#|\r|\n\n/);
  });
});
