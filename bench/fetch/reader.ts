// kube-git's way to read a file, alone in a process of its own, so that its memory is this and nothing else. Started by
// bench/fetch/reading.ts; asked over Node's channel between processes, ends with it.
import { createManifestSource } from '../../src/git/fetch.ts';
import type { FileAtCommit } from '../../src/git/git.ts';
import { createLog } from '../../src/log.ts';

export type Answer = { readonly text: string; readonly ms: number } | { readonly failure: string };

const [directory = '.'] = process.argv.slice(2);
const never = new AbortController().signal;

const source = createManifestSource({
  directory,
  allowInsecureCredentials: false,
  environment: { PATH: process.env['PATH'] }, // no proxies
  direct: { ca: undefined, userAgent: 'kube-git/bench' },
  log: createLog('warn', () => []),
});

process.on('message', async (file: FileAtCommit) => {
  const answer = await read(file).catch((error: unknown): Answer => ({ failure: String(error) }));
  process.send?.(answer);
});
process.on('disconnect', () => process.exit());

async function read(file: FileAtCommit): Promise<Answer> {
  const start = performance.now();
  const text = await source.read(file, {}, never);
  return { text, ms: performance.now() - start };
}
