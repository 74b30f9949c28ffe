import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOptions } from './options.ts';

describe('demo options', () => {
  const good = [
    [[], { once: false, context: undefined }],
    [['--once'], { once: true, context: undefined }],
    [['--context', 'kind-a'], { once: false, context: 'kind-a' }],
    [['--context=kind-a=b', '--once'], { once: true, context: 'kind-a=b' }],
  ] as const;
  for (const [args, options] of good) {
    it(`reads ${args.join(' ') || 'nothing'}`, () => {
      assert.deepEqual(parseOptions(args, {}), { kind: 'run', options });
    });
  }

  const bad = [
    [['--onse'], /^Unknown option '--onse': the options are --once, --context NAME /],
    [['--once=yes'], /^Option '--once' does not take an argument: /],
    [['once'], /^Unexpected argument 'once'/],
    [['--context'], /^Option '--context <value>' argument missing: /],
    [['--context='], /^The name of the context is empty: /],
    [['--context', '--once'], /^Option '--context' argument is ambiguous: /],
  ] as const;
  for (const [args, message] of bad) {
    it(`refuses ${args.join(' ')} in one sentence`, () => {
      const parsed = parseOptions(args, {});
      assert.ok(parsed.kind === 'error');
      assert.match(parsed.text, message);
      assert.doesNotMatch(parsed.text, /\n/);
    });
  }

  const taken = [
    ['--once', { npm_config_once: 'true' }, [], { once: true, context: undefined }],
    ['--no-once', { npm_config_once: '' }, [], { once: false, context: undefined }],
    ['--context=kind-a', { npm_config_context: 'kind-a' }, [], { once: false, context: 'kind-a' }],
    ['--once -- --once', { npm_config_once: 'true' }, ['--once'], { once: true, context: undefined }],
    ['--context=a -- --context b', { npm_config_context: 'a' }, ['--context', 'b'], { once: false, context: 'b' }],
  ] as const;
  for (const [typed, env, args, options] of taken) {
    it(`reads what npm takes of npm run demo ${typed}`, () => {
      assert.deepEqual(parseOptions(args, env), { kind: 'run', options });
    });
  }

  it('says what to write where npm has taken an option apart', () => {
    const parsed = parseOptions(['kind-a'], { npm_config_context: 'true' });
    assert.ok(parsed.kind === 'error');
    assert.match(parsed.text, /npm run demo -- --context NAME: the options are/);
  });

  it('explains itself, also after other options', () => {
    for (const args of [['--help'], ['-h'], ['--once', '--help']]) {
      const parsed = parseOptions(args, {});
      assert.ok(parsed.kind === 'help');
      assert.match(parsed.text, /--once.*--context NAME.*busybox/s);
    }
  });
});
