import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from './config.ts';

const end = ['-webhook-port=9000'];

describe("parseConfig: flags of the 2019 program's log", () => {
  const accepted: readonly (readonly [argv: readonly string[], names: string])[] = [
    [['-logtostderr'], '-logtostderr'],
    [['-logtostderr=true', '-v=5'], '-logtostderr, -v'],
    [['--alsologtostderr=false'], '-alsologtostderr'],
    [['-v', '2'], '-v'],
    [['--v=99', '-v', '0'], '-v'],
    [['-vmodule', 'git*=3,kube=2'], '-vmodule'],
    [['-stderrthreshold=ERROR'], '-stderrthreshold'],
    [['-stderrthreshold', '2'], '-stderrthreshold'],
    [
      ['-log_dir', '/var/log', '-log_file=/var/log/x.log', '-log_file_max_size', '1800'],
      '-log_dir, -log_file, -log_file_max_size',
    ],
    [['-log_backtrace_at', 'main.go:12'], '-log_backtrace_at'],
    [['-skip_headers', '-skip_log_headers=1', '-add_dir_header'], '-add_dir_header, -skip_headers, -skip_log_headers'],
  ];
  for (const [argv, names] of accepted) {
    it(`ignores ${argv.join(' ')} with a warning, and reads what follows`, () => {
      const start = parseConfig([...argv, ...end], {});
      assert.ok(start.kind === 'run', start.kind);
      assert.equal(start.config.webhookPort, 9000);
      assert.equal(start.config.logLevel, 'info');
      assert.deepEqual(start.config.warnings, [
        `ignored, since the log always goes to standard error and -log-level says how much: ${names}; remove them`,
      ]);
    });
  }

  const refused: readonly (readonly [argv: readonly string[], expected: RegExp])[] = [
    [['-v'], /^flag -v needs a value\n$/],
    [['-logtostderr', 'true'], /^argument 2 is not a flag/],
    [['-logtostderr=maybe'], /^flag -logtostderr must be true or false/],
    [['-log-dir=/x'], /^unknown flag -log-dir \(-help lists them\)\n$/],
    [['-w=2'], /^unknown flag -w(?!.*-v\b)/],
  ];
  for (const [argv, expected] of refused) {
    it(`refuses ${argv.join(' ')}, as Go did, and suggests none of them`, () => {
      const start = parseConfig(argv, {});
      assert.ok(start.kind === 'error', start.kind);
      assert.match(start.text, expected);
    });
  }

  it('does not list them', () => {
    const start = parseConfig(['-help'], {});
    assert.ok(start.kind === 'print');
    assert.match(start.text, / {2}-log-level /);
    assert.doesNotMatch(start.text, /logtostderr|vmodule|^ {2}-(v |\w+_)/m);
  });
});
