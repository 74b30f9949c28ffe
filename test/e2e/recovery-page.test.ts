// docs/recovery.md: its GitHook finds a push with no webhook at all, and its commands show what they say. Only the repository's
// address and the times are others.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import type { GitHook } from '../../src/api/githook.ts';
import { blocksIn, readPage, shell } from '../env/page.ts';
import { files, found, quick, silently, untilLooked } from '../env/recovery.ts';
import { startScenario } from '../env/scenario.ts';
import { waitFor } from '../env/wait.ts';

const page = await readPage('docs/recovery.md');
const blocks = (language: string): string[] => blocksIn(page, language);

describe('docs/recovery.md', () => {
  it('leads to a push that runs without a webhook, and shows it', async (t) => {
    const s = await startScenario(t, { args: quick, secret: '' });
    await s.repository.commit({ 'ci/job.yaml': files['job.yaml'] });
    const [yaml = ''] = blocks('yaml');
    const { poll: _, ...spec } = (load(yaml) as GitHook).spec;
    await s.gitHook('app', { ...spec, repository: s.repository.url, notification: {} });
    await untilLooked(s);
    const commit = await silently(s);
    await found(s, commit);
    const run = await shell(t, s.namespace);
    const [status = '', shown = ''] = blocks('sh');
    const said = await waitFor(
      async () => {
        const output = await run(status);
        return output.includes('"found":1') && output;
      },
      { what: 'the status' },
    );
    assert.match(said, /^\[\{.*"lastFoundTime":.*"source":"Poll"\}\]$/);
    const output = await waitFor(
      async () => {
        const now = await run(shown);
        return now.includes('PushRecovered') && now;
      },
      { what: 'the Event' },
    );
    assert.match(output, new RegExp(`^NAME +SOURCE +REF +COMMIT\\napp-\\S+ +Poll +refs/heads/main +${commit}\\n`));
    assert.equal(blocks('sh').length, 2);
  });
});
