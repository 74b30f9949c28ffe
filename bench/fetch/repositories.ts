// The repositories that are read and cloned: of four sizes, alike in all else. Called by bench/groups/fetch.ts.
import type { GitServer } from '../../test/env/git-server.ts';
import type { Bench } from '../group.ts';
import { bytesOf, fileBytes, fillRepository } from '../large-repository.ts';

const megabyte = 1_000_000;

export const sizes = [
  { size: '1 MB', bytes: megabyte, isLarge: false },
  { size: '10 MB', bytes: 10 * megabyte, isLarge: false },
  { size: '150 MB', bytes: 150 * megabyte, isLarge: true },
  { size: '1 GB', bytes: 1_000 * megabyte, isLarge: true },
] as const;

export type Size = (typeof sizes)[number]['size'];

/** So many folders deep. */
export const manifestPaths = {
  'depth 1': 'ci/job.yaml',
  'depth 6': 'deploy/clusters/europe/production/jobs/build/job.yaml',
};

const leastLaterCommits = 60;

export interface Filled {
  readonly size: Size;
  /** For the server: acme/1-mb. */
  readonly name: string;
  /** Their ids, oldest first. */
  readonly commits: readonly string[];
}

/** Each with `commits` commits after the first one at least, every one of which changes both manifests. */
export async function fillRepositories(bench: Bench, server: GitServer, commits: number): Promise<readonly Filled[]> {
  const filled: Filled[] = [];
  for (const { size, bytes, isLarge } of sizes) {
    const start = performance.now();
    const name = `acme/${size.toLowerCase().replace(' ', '-')}`;
    const repository = await server.createRepository(name);
    const contents = contentsOf(bytes * (isLarge ? bench.size : 1), Math.max(commits, leastLaterCommits));
    await fillRepository(repository.path, contents, bench.signal);
    filled.push({ size, name, commits: (await repository.git(['rev-list', '--reverse', 'main'])).split('\n') });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    bench.tell(`${size}: ${(bytesOf(contents) / megabyte).toFixed(1)} MB of random files made in ${seconds} s`);
  }
  return filled;
}

/** Half is in the first commit, the other half is what later commits change of it. */
function contentsOf(bytes: number, laterCommits: number) {
  const files = Math.max(1, Math.round(bytes / 2 / fileBytes));
  const manifests = (commit: number) =>
    Object.fromEntries(Object.values(manifestPaths).map((path) => [path, manifestOf(commit)]));
  return { files, changes: files, laterCommits, manifests };
}

/** Both manifests of a commit; the first commit has number 0. */
export function manifestOf(commit: number): string {
  return `apiVersion: batch/v1
kind: Job
metadata: { name: build-${commit} }
spec:
  template: { spec: { restartPolicy: Never, containers: [{ name: build, image: busybox }] } }
`;
}
