import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { openEntry, startSink, testReport } from '../../test/env/sink.ts';
import type { Report } from './notifier.ts';
import { slack } from './slack.ts';

const signal = new AbortController().signal;

interface Message {
  readonly channel?: string;
  readonly attachments: readonly {
    readonly title: string;
    readonly title_link?: string;
    readonly text: string;
    readonly fallback: string;
    readonly fields: readonly { readonly title: string; readonly value?: string }[];
  }[];
}

async function told(t: TestContext, changes: Partial<Report>, entry: object = {}) {
  const sink = await startSink(t);
  const notifier = openEntry(slack, { webhookURL: `${sink.url}/services/T0/B0/x`, ...entry });
  await notifier.send(testReport(changes), signal);
  const text = sink.log[0]?.body ?? '';
  const message = JSON.parse(text) as Message;
  return { text, message, attachment: message.attachments[0] ?? assert.fail('no attachment') };
}

describe('the Slack notifier', () => {
  it('leaves out what is empty, as the 2019 program did', async (t) => {
    const { message, attachment } = await told(t, { author: '' });
    assert.ok(!('channel' in message));
    assert.ok(!('title_link' in attachment));
    assert.deepEqual(attachment.fields[1], { title: 'Author' });
  });

  it('says of a cancelled run that it was cancelled', async (t) => {
    const { attachment } = await told(t, { state: 'Error', reason: 'Cancelled', message: 'It was <deleted>.' });
    assert.equal(attachment.title, 'Cancelled :x:');
    assert.match(attachment.text, /githook `team-a\/app` was cancelled: It was &lt;deleted&gt;\. $/);
    assert.equal(attachment.fallback, 'kube-git: a run of githook `team-a/app` was cancelled');
  });

  it('calls a Workflow by its own title', async (t) => {
    const { attachment } = await told(t, { resource: { title: 'Argo Workflow', name: 'ci-1' }, state: 'Failed' });
    assert.equal(attachment.title, 'Argo Workflow Failed :x:');
    assert.equal(attachment.fallback, 'kube-git: Argo Workflow `team-a/ci-1` failed');
  });

  it('N-10 makes commands to Slack harmless wherever they stand', async (t) => {
    const evil = '<!channel> & <https://evil.example|here> <@U1>';
    const { text } = await told(t, {
      state: 'Error',
      author: evil,
      message: evil,
      ref: evil,
      repository: evil,
      reason: evil,
    });
    assert.ok(!/<[^>]*>/.test(text), text);
    assert.ok(text.includes('&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt; &lt;@U1&gt;'));
  });

  it('lets no backtick end the code early', async (t) => {
    const { attachment } = await told(t, { ref: 'refs/heads/a`*b*`c', state: 'Error', message: 'x' });
    assert.equal(attachment.fields[2]?.value, "`refs/heads/a'*b*'c`");
    assert.match(attachment.text, /^The push of `refs\/heads\/a'\*b\*'c` to githook `team-a\/app` could not/);
  });

  it('makes one line of texts with many, without control characters', async (t) => {
    const { attachment } = await told(t, { author: 'Ada\r\nBranch: `prod`\u202e\u0000' });
    assert.equal(attachment.fields[1]?.value, 'Ada Branch: `prod`');
  });

  it('bounds what is long, before and after escaping', async (t) => {
    const long = '<'.repeat(1_000_000);
    const { text } = await told(t, {
      state: 'Error',
      author: long,
      message: long,
      ref: long,
      repository: long,
      reason: long,
    });
    assert.ok(text.length < 40_000, `${text.length}`);
  });
});

describe('an entry of Slack', () => {
  const webhookURL = 'https://hooks.slack.com/services/T0000/B0000/c4n4ry0123456789';
  const cases: readonly (readonly [name: string, entry: unknown, expected: string])[] = [
    ['no mapping', 'text', 'slack.ci must be a mapping with webhookURL, and maybe url and channel'],
    ['nothing', {}, 'slack.ci.webhookURL is missing'],
    ['a number for the channel', { webhookURL, channel: 7 }, 'slack.ci.channel must be a string'],
    ['no URL', { webhookURL: 'c4n4ry' }, 'slack.ci.webhookURL must be an http or https URL without user and password'],
    [
      'a file',
      { webhookURL: 'file:///c4n4ry' },
      'slack.ci.webhookURL must be an http or https URL without user and password',
    ],
    [
      'credentials',
      { webhookURL: 'https://u:c4n4ry@a/' },
      'slack.ci.webhookURL must be an http or https URL without user and password',
    ],
    [
      'a link of another kind',
      { webhookURL, url: 'javascript:x' },
      'slack.ci.url must be an http or https URL without user and password',
    ],
    [
      'a repository as URL',
      { webhookURL, repositories: ['a/*', 'https://a/b'] },
      'slack.ci.repositories[1] must be host/owner/name with * for any text, such as github.com/acme/*',
    ],
  ];
  for (const [name, entry, expected] of cases) {
    it(`is refused with ${name}, by its field and not its value`, () => {
      assert.throws(() => slack.parse(entry, 'slack.ci'), { message: expected });
    });
  }

  it('has the URL and its path for secrets', () => {
    const { secrets } = slack.parse({ webhookURL }, 'slack.ci');
    assert.ok(secrets.includes(webhookURL));
    assert.ok(secrets.includes('/services/T0000/B0000/c4n4ry0123456789'));
  });
});
