// Children end with us, however we end: shown with real processes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeDataFolder } from './data-folder.ts';
import { isAlive, startProcess, untilExit } from './processes.ts';
import { waitFor } from './wait.ts';

/** A shell with a child of its own; both would stay for an hour, and the shell ignores SIGTERM. */
const stubborn = 'trap "" TERM; sleep 3600 & echo $!; wait; wait';

const gone = (pid: number): Promise<boolean> =>
  waitFor(() => !isAlive(pid), { what: `process ${pid} to be gone`, deadlineMs: 5_000 });

describe('startProcess', () => {
  it('tells how a process ended and the last lines of its log', async (t) => {
    const folder = await makeDataFolder('processes-test');
    t.after(() => rm(folder, { recursive: true }));
    const logFile = join(folder, 'log');
    const args = ['-c', 'echo one; echo two >&2; exit 3'];
    const running = await startProcess({ name: 'sh', file: '/bin/sh', args, logFile });
    assert.deepEqual(await untilExit(running), { code: 3, signal: null });
    assert.equal(running.logTail(1), 'two');
  });

  it('stops a process that ignores SIGTERM, and its children, after the grace time', async (t) => {
    const folder = await makeDataFolder('processes-test');
    t.after(() => rm(folder, { recursive: true }));
    const logFile = join(folder, 'log');
    const running = await startProcess({ name: 'sh', file: '/bin/sh', args: ['-c', stubborn], logFile });
    const child = Number(await waitFor(() => running.logTail(1) || false, { what: 'the child’s number' }));
    await running.stop('SIGTERM', 50);
    assert.equal(running.exit()?.signal, 'SIGKILL');
    await gone(child);
  });

  it('rejects with the name of what cannot be started', async () => {
    await assert.rejects(startProcess({ name: 'etcd', file: '/no/such/program', args: [] }), /etcd cannot be started/);
  });

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    it(`leaves neither child nor grandchild when we get ${signal}`, async (t) => {
      const folder = await makeDataFolder('processes-test');
      t.after(() => rm(folder, { recursive: true }));
      const logFile = join(folder, 'log');
      const script = `
        import { startProcess } from ${JSON.stringify(join(import.meta.dirname, 'processes.ts'))};
        const args = ['-c', ${JSON.stringify(stubborn)}];
        const { pid } = await startProcess({ name: 'sh', file: '/bin/sh', args, logFile: ${JSON.stringify(logFile)} });
        console.log(pid);
        setInterval(() => {}, 1000);`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const read = async (): Promise<string | false> => (await readFile(logFile, 'utf8')).trim() || false;
      const grandchild = Number(await waitFor(read, { what: 'the grandchild’s number' }));
      parent.kill(signal);
      await gone(Number(line));
      await gone(grandchild);
    });
  }
});

describe('makeDataFolder', () => {
  it('removes the folders of programs that are gone, and only those', async (t) => {
    const script = `
      import { makeDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))};
      console.log(await makeDataFolder('left-behind'));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    if (parent.exitCode === null) await once(parent, 'exit');
    const mine = await makeDataFolder('kept');
    const other = await makeDataFolder('kept');
    t.after(() => Promise.all([mine, other].map((folder) => rm(folder, { recursive: true }))));
    await assert.rejects(readFile(String(line).trim()), { code: 'ENOENT' });
    await assert.rejects(readFile(mine), { code: 'EISDIR' });
  });
});
