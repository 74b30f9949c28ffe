// The shell of a person who follows a page of docs/: kubectl on PATH, for one namespace of the test cluster.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { binary } from './binaries.ts';
import { type TestContext, testCluster } from './cluster.ts';

/** Runs commands in a folder of their own, which is gone after the test; resolves with what they print, rejects where one fails. */
export async function pageShell(t: TestContext, namespace: string): Promise<(commands: string) => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-page-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { file, args } = await binary('kubectl');
  const call = [file, ...args, '--kubeconfig', testCluster().kubeconfig, '--namespace', namespace];
  await writeFile(join(folder, 'kubectl'), `#!/bin/sh\nexec ${call.join(' ')} "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  return async (commands) => (await promisify(execFile)('sh', ['-ec', commands], { cwd: folder, env })).stdout;
}
