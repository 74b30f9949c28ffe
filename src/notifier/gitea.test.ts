// The github type of the notification file with a real Gitea: commit statuses made, told again, and read back from its API.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Gitea, startGitea } from '../../test/env/gitea/gitea.ts';
import { openEntry, testReport } from '../../test/env/sink.ts';
import { github } from './github.ts';
import type { Report } from './notifier.ts';

const enabled = process.env['KUBEGIT_TEST_GITEA'] === '1';
const skip = enabled ? false : 'needs Gitea, built once in 5 minutes: set KUBEGIT_TEST_GITEA=1 to run it';

const job = { title: 'Job', name: 'hello-x' };

describe("Gitea's commit statuses", { skip }, () => {
  let gitea: Gitea;
  let report: Report;

  before(async () => {
    gitea = await startGitea({ log: (line) => process.stdout.write(`${line}\n`) });
    const { httpUrl, name } = await gitea.createRepository('app', { private: true });
    const file = { content: Buffer.from('kind: Job\n').toString('base64'), message: 'Add it' };
    const { commit } = await gitea.api<{ commit: { sha: string } }>('POST', `/repos/${name}/contents/job.yaml`, file);
    report = testReport({ repository: httpUrl, commit: commit.sha, namespace: 'demo', resource: job });
  });
  after(() => gitea.stop());

  const notifier = (token: string) =>
    openEntry(github, { token, api: `${gitea.url}/api/v1`, url: 'https://dashboard.example.com/${NAMESPACE}/${NAME}' });

  it('are pending, then success, failure or error, with description, link and context', async () => {
    const { send } = notifier(gitea.token);
    const signal = AbortSignal.timeout(60_000);
    await send(report, signal);
    for (const state of ['Succeeded', 'Failed', 'Error'] as const) {
      await send({ ...report, state, context: `test/${state}`, reason: 'NoManifest', message: 'not found 😀' }, signal);
    }
    const told = await gitea.statuses('acme/app', report.commit);
    const link = 'https://dashboard.example.com/demo/hello-x';
    assert.deepEqual(
      told.map(({ context, status, description, target_url }) => [context, status, description, target_url]).sort(),
      [
        [report.context, 'pending', 'The build has started', link],
        ['test/Error', 'error', 'Could not start: NoManifest: not found \u{fffd}', link],
        ['test/Failed', 'failure', 'The build has failed', link],
        ['test/Succeeded', 'success', 'The build has succeeded', link],
      ],
    );
  });

  it('are refused with words that help where the token is wrong, and put off where Gitea does not have the commit', async () => {
    const signal = AbortSignal.timeout(60_000);
    await assert.rejects(notifier('0'.repeat(40)).send(report, signal), /Write a valid token in github\.ci\.token/);
    const lost = { ...report, commit: 'f'.repeat(40) };
    await assert.rejects(notifier(gitea.token).send(lost, signal), /answered 500: .*object does not exist/);
  });
});
