import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Config, parseConfig, version } from './config.ts';

type Env = Readonly<Record<string, string | undefined>>;

function configOf(argv: readonly string[], env: Env = {}): Config {
  const start = parseConfig(argv, env);
  assert.ok(start.kind === 'run', `${start.kind}: ${start.kind === 'run' ? '' : start.text}`);
  return start.config;
}

function errorOf(argv: readonly string[]): string {
  const start = parseConfig(argv, {});
  assert.ok(start.kind === 'error', start.kind);
  return start.text;
}

describe('parseConfig', () => {
  it('without arguments is the 2019 program: same ports, same file, no secret', () => {
    assert.deepEqual(configOf([]), {
      webhookSecrets: { github: [], gitea: [] },
      notificationConfigFile: '/etc/kube-git/notification.yaml',
      notificationConfigFileIsDefault: true,
      kubeconfig: '',
      master: '',
      context: '',
      namespace: '',
      webhookPort: 8080,
      privatePort: 8081,
      profilePort: 0,
      bindAddress: '',
      statusContext: '',
      defaultServiceAccount: 'kube-git-runner',
      tenantBase: 'install/tenant',
      allowInsecureCredentials: false,
      sshKnownHostsFile: '',
      caFile: '',
      fetch: 'auto',
      deliveryLog: true,
      poll: { intervalMs: 600_000, settleMs: 120_000 },
      election: { enabled: true, namespace: 'default', name: 'kube-git', identity: '', leaseDurationSeconds: 15 },
      logLevel: 'info',
      warnings: [],
    });
  });

  const spellings: readonly (readonly string[])[] = [
    ['-webhook-port', '9000'],
    ['-webhook-port=9000'],
    ['--webhook-port', '9000'],
    ['--webhook-port=9000'],
    ['-webhook-port=1', '-webhook-port=9000'],
  ];
  for (const argv of spellings) {
    it(`reads ${argv.join(' ')} as port 9000`, () => assert.equal(configOf(argv).webhookPort, 9000));
  }

  const booleans: readonly (readonly [string, boolean])[] = [
    ['-allow-insecure-credentials', true],
    ['--allow-insecure-credentials', true],
    ['-allow-insecure-credentials=true', true],
    ['-allow-insecure-credentials=1', true],
    ['-allow-insecure-credentials=T', true],
    ['-allow-insecure-credentials=false', false],
    ['-allow-insecure-credentials=0', false],
  ];
  for (const [flag, expected] of booleans) {
    it(`reads ${flag} as ${expected}`, () => assert.equal(configOf([flag]).allowInsecureCredentials, expected));
  }

  it('takes the next argument for a value, whatever it looks like', () => {
    assert.equal(configOf(['-status-context', '-ci']).statusContext, '-ci');
  });

  it('keeps what stands after the first equals sign, and an empty value', () => {
    assert.equal(configOf(['-master=https://a/?b=c']).master, 'https://a/?b=c');
    assert.equal(configOf(['-status-context=']).statusContext, '');
  });

  it('knows whether the notification file was named', () => {
    const config = configOf(['-notification-config-file', '/etc/kube-git/notification.yaml']);
    assert.equal(config.notificationConfigFileIsDefault, false);
  });

  const errors: readonly (readonly [argv: readonly string[], expected: RegExp])[] = [
    [['-webhok-port', '1'], /^unknown flag -webhok-port, did you mean -webhook-port\? \(-help lists them\)\n$/],
    [['-secret=x'], /^unknown flag -secret, did you mean -github-webhook-secret or -gitea-webhook-secret\?/],
    [['-zzzzzzzzzzzz'], /^unknown flag -zzzzzzzzzzzz \(-help lists them\)\n$/],
    [['-__proto__=x'], /^unknown flag -__proto__ /],
    [['-webhook-port'], /^flag -webhook-port needs a value\n$/],
    [['-webhook-port=http'], /^flag -webhook-port must be a whole number from 0 to 65535\n$/],
    [['-webhook-port=65536'], /^flag -webhook-port must be/],
    [['-private-port=-1'], /^flag -private-port must be/],
    [['-allow-insecure-credentials=maybe'], /^flag -allow-insecure-credentials must be true or false/],
    [['-log-level=loud'], /^flag -log-level must be one of debug, info, warn, error\n$/],
    [['-log-level=warn', 'serve'], /^argument 2 is not a flag/],
    [['-'], /^argument 1 is not a flag/],
    [['---webhook-port=1'], /^argument 1 is not a flag/],
  ];
  for (const [argv, expected] of errors) {
    it(`answers ${argv.join(' ')} with one sentence`, () => assert.match(errorOf(argv), expected));
  }

  it('repeats no value in an error: it may be the secret', () => {
    const canary = 'c4n4ry-s3cret';
    const argvs = [
      [`-github-webhook-secre=${canary}`],
      [`-github-webhook-secret ${canary}`],
      ['-github-webhook-secret', 'x', canary],
      [`-webhook-port=${canary}`],
      [`-log-level=${canary}`],
    ];
    for (const argv of argvs) assert.ok(!errorOf(argv).includes(canary), argv.join(' '));
  });
});

describe("parseConfig: Gitea's webhook secret", () => {
  const secret = 'a-secret-of-enough-bytes';
  const cases: readonly (readonly [argv: readonly string[], env: Env, secret: string])[] = [
    [['-gitea-webhook-secret', secret], {}, secret],
    [['-gitea-webhook-secret=another'], { GITEA_WEBHOOK_SECRET: secret }, secret],
    [['-github-webhook-secret', secret], { GITHUB_WEBHOOK_SECRET: secret }, ''],
    [[], { GITEA_WEBHOOK_SECRET: ' ' }, ''],
  ];
  for (const [argv, env, expected] of cases) {
    it(`is ${JSON.stringify(expected)} with ${JSON.stringify([argv, env])}`, () => {
      assert.equal(configOf(argv, env).webhookSecrets.gitea[0] ?? '', expected);
    });
  }

  it('is warned of by its own name', () => {
    const { warnings } = configOf([], { GITHUB_WEBHOOK_SECRET: secret, GITEA_WEBHOOK_SECRET: 'short' });
    assert.deepEqual(warnings, [
      'the Gitea webhook secret is shorter than 16 bytes and can be guessed: make a longer one',
    ]);
  });
});

describe('parseConfig: the webhook secret', () => {
  const secret = 'a-secret-of-enough-bytes';

  it('comes from the flag', () => {
    assert.equal(configOf(['-github-webhook-secret', secret]).webhookSecrets.github[0], secret);
  });
  it('comes from the environment, which overrides the flag', () => {
    const config = configOf(['-github-webhook-secret=another'], { GITHUB_WEBHOOK_SECRET: secret });
    assert.equal(config.webhookSecrets.github[0], secret);
    assert.deepEqual(config.warnings, []);
  });
  it('comes from the flag when the variable is empty', () => {
    const config = configOf(['-github-webhook-secret', secret], { GITHUB_WEBHOOK_SECRET: '' });
    assert.equal(config.webhookSecrets.github[0], secret);
  });
  it('may have one before it, which is accepted too, and warned of by its own name', () => {
    const previous = 'the-secret-before-it';
    const config = configOf([], { GITHUB_WEBHOOK_SECRET: secret, GITHUB_WEBHOOK_SECRET_PREVIOUS: previous });
    assert.deepEqual([config.webhookSecrets.github, config.warnings], [[secret, previous], []]);
    const short = configOf([], { GITHUB_WEBHOOK_SECRET: secret, GITHUB_WEBHOOK_SECRET_PREVIOUS: 'hunter2' });
    assert.match(short.warnings.join(), /^the previous GitHub webhook secret is shorter/);
  });
  it('counts as none when it is white space, and says so', () => {
    const config = configOf([], { GITHUB_WEBHOOK_SECRET: ' \n' });
    assert.deepEqual(config.webhookSecrets.github, []);
    assert.match(config.warnings.join(), /white space only, which counts as none/);
  });
  it('is accepted when short, with a warning that does not hold it', () => {
    const config = configOf([], { GITHUB_WEBHOOK_SECRET: 'hunter2' });
    assert.equal(config.webhookSecrets.github[0], 'hunter2');
    assert.match(config.warnings.join(), /shorter than 16 bytes/);
    assert.ok(!config.warnings.join().includes('hunter2'));
  });
  it('keeps white space around it, with a warning', () => {
    const config = configOf([], { GITHUB_WEBHOOK_SECRET: `${secret}\n` });
    assert.equal(config.webhookSecrets.github[0], `${secret}\n`);
    assert.match(config.warnings.join(), /begins or ends with white space/);
  });
});

describe('parseConfig: what is printed', () => {
  for (const flag of ['-h', '--h', '-help', '--help']) {
    it(`answers ${flag} with the table of flags`, () => {
      const start = parseConfig([flag, '-nonsense'], { GITHUB_WEBHOOK_SECRET: 'c4n4ry-s3cret' });
      assert.ok(start.kind === 'print');
      assert.match(start.text, /^Usage of kube-git:\n {2}-allow-insecure-credentials\n {4}\tSend /);
      assert.match(start.text, / {2}-webhook-port int\n {4}\t[^\n]*\(default 8080\)\n/);
      assert.match(start.text, /\(default "\/etc\/kube-git\/notification.yaml"\)\n/);
      assert.ok(!start.text.includes('c4n4ry'));
    });
  }
  it('answers -version with the version', () => {
    assert.deepEqual(parseConfig(['-version'], {}), { kind: 'print', text: `kube-git ${version}\n` });
  });
});
