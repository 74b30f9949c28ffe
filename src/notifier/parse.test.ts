import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNotificationFile } from './parse.ts';
import { registry } from './registry.ts';

const canary = 'c4n4ry';
const parse = (text: string) => parseNotificationFile(text, registry);

describe('parseNotificationFile', () => {
  it("reads the 2019 program's file", () => {
    const { entries, unknown } = parse(`
github:
  my-github:
    url: https://argo.example.com/workflows/\${NAMESPACE}/\${NAME}
    token: some-token
  enterprise:
    token: other-token
    api: https://git.example.com/api/v3/
slack:
  my-slack:
    url: https://argo.example.com/workflows/\${NAMESPACE}/\${NAME}
    webhookURL: https://hooks.slack.com/services/T0/B0/x
    channel: my-channel
`);
    assert.deepEqual([...entries.keys()], ['github.my-github', 'github.enterprise', 'slack.my-slack']);
    assert.deepEqual(unknown, []);
    assert.deepEqual(entries.get('github.my-github')?.settings, {
      url: 'https://argo.example.com/workflows/${NAMESPACE}/${NAME}',
      token: 'some-token',
      api: 'https://api.github.com',
    });
  });

  it('reads JSON, anchors and merges', () => {
    assert.equal(parse('{"github": {"ci": {"token": "a-token"}}}').entries.size, 1);
    const { entries } = parse('github: {a: &a {token: t}, b: {<<: *a, api: "https://git.example.com"}}');
    assert.deepEqual(entries.get('github.b')?.settings, { url: '', token: 't', api: 'https://git.example.com' });
  });

  for (const text of ['', '\n', '# nothing yet\n', '---\n', 'null', 'github:\nslack:\n', 'github: {}']) {
    it(`finds no entries in ${JSON.stringify(text)}`, () => assert.equal(parse(text).entries.size, 0));
  }

  it('accepts sections and fields it does not know, and names them', () => {
    const { entries, unknown } = parse(`{teams: {a: {}}, github: {ci: {token: t, tokn: x, "${canary} : /": 1}}}`);
    assert.equal(entries.size, 1);
    assert.deepEqual(unknown, ['teams', 'github.ci.tokn', 'github.ci.(unreadable)']);
  });

  it('bears names that mean something to JavaScript', () => {
    const { entries } = parse('github: {__proto__: {token: t}, constructor: {token: t}}\n__proto__: {a: 1}');
    assert.deepEqual([...entries.keys()].sort(), ['github.__proto__', 'github.constructor']);
    assert.equal(({} as Record<string, unknown>)['a'], undefined);
  });

  const bad: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    ['a number for the token', 'github: {ci: {token: 123}}', /^github\.ci\.token must be a string$/],
    ['a list for the token', `github: {ci: {token: [${canary}]}}`, /^github\.ci\.token must be a string$/],
    ['no token', 'github: {ci: {api: "https://a"}}', /^github\.ci\.token is missing$/],
    ['an empty token', 'github: {ci: {token: " "}}', /^github\.ci\.token is missing$/],
    ['an entry that is text', `github: {ci: ${canary}}`, /^github\.ci must be a mapping with token/],
    ['an entry without fields', 'slack: {ci: }', /^slack\.ci must be a mapping with webhookURL/],
    ['a section that is a list', `github: [${canary}]`, /^github must be a mapping$/],
    ['a file that is text', canary, /^the notification file must be a mapping$/],
    ['two documents', '{}\n---\n{}', /holds more than one document/],
    ['an open quote', `github: {ci: {token: "${canary}`, /^the notification file is not YAML: line 1, column \d+: /],
    ['an unknown alias', `github: {ci: {token: *${canary}}}`, /not YAML: line 1, column \d+: unidentified alias$/],
    ['an unknown tag', `github: {ci: {token: !${canary} x}}`, /not YAML: line 1, column \d+: /],
    ['an impossible tag', `github: {ci: {token: !<${canary}^> x}}`, /not YAML: line 1, column \d+: /],
    ['a key twice', `github:\n  ci: {token: a}\n  ci: {token: ${canary}}`, /not YAML: line 3, column \d+: dup/],
    ['bad indentation', `github:\n  ci:\n token: ${canary}`, /not YAML: line \d, column \d+: /],
    ['a NUL', `github: {ci: {token: "${canary}\u0000"}}`, /not YAML/],
    ['nesting without end', '['.repeat(100_000), /not YAML/],
  ];
  for (const [name, text, expected] of bad) {
    it(`refuses ${name}, and repeats nothing of it`, () => {
      assert.throws(
        () => parse(text),
        (error) => {
          assert.ok(error instanceof Error);
          assert.match(error.message, expected);
          assert.ok(!error.message.includes(canary), error.message);
          return true;
        },
      );
    });
  }
});
