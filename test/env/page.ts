// A page of the docs as a test takes it: its blocks, and a shell to run its commands in.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { binary } from './binaries.ts';
import { testCluster } from './cluster.ts';

/** The text of a page, by its path from the root of the project. */
export function readPage(path: string): Promise<string> {
  return readFile(join(import.meta.dirname, '../..', path), 'utf8');
}

/** The blocks of a language, in their order. */
export function blocksIn(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^\`]*)\`\`\``, 'g'))].map(([, block = '']) => block);
}

interface Test {
  after(fn: () => unknown): void;
}

/** A folder to run the page's commands in, with kubectl on PATH for this namespace. */
export async function shell(t: Test, namespace: string): Promise<(commands: string) => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-page-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { file, args } = await binary('kubectl');
  const call = [file, ...args, '--kubeconfig', testCluster().kubeconfig, '--namespace', namespace];
  await writeFile(join(folder, 'kubectl'), `#!/bin/sh\nexec ${call.join(' ')} "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  return async (commands) => (await promisify(execFile)('sh', ['-ec', commands], { cwd: folder, env })).stdout;
}
