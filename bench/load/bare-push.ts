// The same work as a push, done by hand: the Job created by a bare client, the commit fetched by the git program. Called by
// bench/groups/push.ts.
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from '../../test/env/git-repository.ts';
import type { Push } from '../../test/faults/long/pushes.ts';
import type { Bench } from '../group.ts';
import type { Place } from './place.ts';

/** An empty repository to fetch into. */
export async function emptyRepository({ folder: parent }: Bench): Promise<string> {
  const folder = await mkdtemp(join(parent, 'bare-'));
  await runGit(folder, ['init', '--quiet', '--bare']);
  return folder;
}

/** Milliseconds of one create and one `git fetch --depth=1` of the push's commit into that empty repository, added. */
export async function bareCreateAndFetch(
  { place, gitUrl }: { readonly place: Place; readonly gitUrl: string },
  { hook, commit }: Push,
  folder: string,
): Promise<number> {
  const fetching = await timed(() =>
    runGit(folder, ['fetch', '--quiet', '--depth=1', `${gitUrl}/${hook.repository}.git`, commit]),
  );
  const creating = await timed(() => place.client.call('POST', place.jobs, jobOf(randomUUID())));
  return fetching + creating;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

function jobOf(id: string): object {
  const container = { name: 'build', image: 'busybox' };
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: `bare-${id}` } },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  };
}
