import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { testHttp } from '../../test/env/sink.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { type NotificationFile, watchNotificationFile } from './file.ts';

const canary = 'ghp_c4n4ry0123456789';

/** At once, as a Secret's file is: one that is written in place is seen empty before it is seen full. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** Time passes as fast as the loop asks for it; counts how often it did. */
function fastClock(): Clock & { sleeps: number } {
  return {
    sleeps: 0,
    now: () => 0,
    monotonic: () => 0,
    async sleep(_ms, signal) {
      this.sleeps++;
      await setImmediate(undefined, signal ? { signal } : {});
    },
  };
}

interface Opened {
  readonly folder: string;
  readonly path: string;
  readonly file: NotificationFile;
  readonly lines: { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }[];
  readonly changes: () => number;
  /** How often the file was looked at. */
  readonly looks: () => number;
  readonly gauge: () => Promise<number>;
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kube-git-file-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens the file and follows it until the test ends. */
async function open(t: TestContext, folder: string, isDefaultPath = false): Promise<Opened> {
  const path = join(folder, 'notification.yaml');
  const lines: Opened['lines'] = [];
  const write = (level: string) => (fields: unknown, message?: unknown) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message: String(message) });
  };
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } as Log;
  const metrics = createMetrics();
  const clock = fastClock();
  let changes = 0;
  const file = await watchNotificationFile({
    path,
    isDefaultPath,
    http: testHttp(),
    clock,
    log,
    metrics,
    onChange: () => {
      changes++;
    },
  });
  const stop = new AbortController();
  const running = file.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    assert.ok(!JSON.stringify(lines).includes(canary), 'a secret in the log');
  });
  const gauge = async () => Number(/^kubegit_notification_file_valid (\d)$/m.exec(await metrics.text())?.[1]);
  return { folder, path, file, lines, changes: () => changes, looks: () => clock.sleeps, gauge };
}

const github = (token: string) => `github: {ci: {token: ${token}}}`;

describe('watchNotificationFile', () => {
  it('finds entries, and their digests change with them only', async (t) => {
    const folder = newFolder(t);
    writeFileSync(
      join(folder, 'notification.yaml'),
      `${github(canary)}\nslack: {a: {webhookURL: "https://a/"}, b: {webhookURL: "https://b/"}}`,
    );
    const { file, path, changes } = await open(t, folder);
    assert.deepEqual(file.names('slack'), ['a', 'b']);
    assert.equal(file.find('github', 'nobody'), undefined);
    assert.equal(file.find('slack', 'ci'), undefined);
    const [ci, a] = [file.find('github', 'ci')?.digest, file.find('slack', 'a')?.digest];
    assert.ok(ci !== undefined && a !== undefined && ci !== a);

    replaceFile(path, `# another token\n${github('another-token')}\nslack: {a: {webhookURL: "https://a/"}}`);
    await waitFor(() => changes() === 1, { what: 'the change' });
    assert.notEqual(file.find('github', 'ci')?.digest, ci);
    assert.equal(file.find('slack', 'a')?.digest, a);
    assert.deepEqual(file.names('slack'), ['a']);
  });

  it('sees Kubernetes swap the symlink that leads to the file', async (t) => {
    const folder = newFolder(t);
    const put = (version: string, text: string): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'notification.yaml'), text);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    put('..2026_11_22_1', github('first-token'));
    symlinkSync(join('..data', 'notification.yaml'), join(folder, 'notification.yaml'));
    const { file, changes } = await open(t, folder);
    assert.ok(file.secrets().includes('first-token'));

    put('..2026_11_22_2', github('second-token'));
    await waitFor(() => changes() === 1, { what: 'the change' });
    assert.ok(file.secrets().includes('second-token'));
    assert.ok(file.secrets().includes('first-token'), 'a send that began before may still fail with it');
  });

  it('keeps the last good file while it is bad, says so once, and takes it when mended', async (t) => {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'notification.yaml'), github(canary));
    const { file, path, lines, changes, looks, gauge } = await open(t, folder);
    assert.equal(await gauge(), 1);
    const digest = file.find('github', 'ci')?.digest;

    replaceFile(path, `github: {ci: {token: [${canary}]}}`);
    await waitFor(() => file.problem() !== undefined, { what: 'the problem' });
    assert.equal(file.problem(), 'github.ci.token must be a string');
    assert.equal(file.find('github', 'ci')?.digest, digest);
    assert.equal(await gauge(), 0);
    const before = looks();
    await waitFor(() => looks() > before + 3, { what: 'more looks at the bad file' });
    const errors = lines.filter(({ level }) => level === 'error');
    assert.deepEqual(
      errors.map(({ fields }) => fields['problem']),
      ['github.ci.token must be a string'],
    );

    replaceFile(path, github(canary));
    await waitFor(() => file.problem() === undefined, { what: 'the mended file' });
    assert.equal(await gauge(), 1);
    assert.equal(changes(), 0, 'nothing has changed for anybody');
  });

  it('starts with a bad file and no sinks, and takes it when mended', async (t) => {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'notification.yaml'), '{');
    const { file, path, changes, gauge } = await open(t, folder);
    assert.equal(file.find('github', 'ci'), undefined);
    assert.equal(await gauge(), 0);
    replaceFile(path, github(canary));
    await waitFor(() => changes() === 1, { what: 'the change' });
    assert.ok(file.find('github', 'ci'));
  });

  it('warns of what it does not know', async (t) => {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'notification.yaml'), `teams: {}\ngithub: {ci: {token: ${canary}, tokn: x}}`);
    const { lines } = await open(t, folder);
    const warning = lines.find(({ level }) => level === 'warn');
    assert.deepEqual(warning?.fields['unknown'], ['teams', 'github.ci.tokn']);
  });
});

describe('watchNotificationFile: a missing file', () => {
  it('is no sinks where nobody named it, until it comes and when it goes', async (t) => {
    const folder = newFolder(t);
    const { file, path, changes, gauge } = await open(t, folder, true);
    assert.equal(file.problem(), undefined);
    assert.equal(await gauge(), 1);
    replaceFile(path, github(canary));
    await waitFor(() => changes() === 1, { what: 'the file' });
    assert.ok(file.find('github', 'ci'));
    rmSync(path);
    await waitFor(() => changes() === 2, { what: 'its end' });
    assert.equal(file.find('github', 'ci'), undefined);
  });

  it('ends the start where a flag named it', async (t) => {
    const folder = newFolder(t);
    await assert.rejects(open(t, folder), {
      message: `the notification file ${join(folder, 'notification.yaml')} does not exist: create it, or leave out -notification-config-file`,
    });
  });

  it('keeps the last good one where a flag named it', async (t) => {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'notification.yaml'), github(canary));
    const { file, path } = await open(t, folder);
    rmSync(path);
    await waitFor(() => file.problem() === 'the notification file is gone', { what: 'the problem' });
    assert.ok(file.find('github', 'ci'));
  });

  it('is not the same as one that cannot be read', async (t) => {
    const folder = newFolder(t);
    mkdirSync(join(folder, 'notification.yaml'));
    const { file } = await open(t, folder, true);
    assert.equal(file.problem(), 'the notification file cannot be read: EISDIR');
  });

  it('is not read when it is larger than a Secret can be', async (t) => {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'notification.yaml'), ' '.repeat(1024 * 1024 + 1));
    const { file } = await open(t, folder);
    assert.equal(file.problem(), 'the notification file is larger than 1 MiB');
  });
});
