// Sees what happens to the runs and Jobs of a namespace past kube-git and all proxies: every version of every object, those
// that are gone again too. The oracles' memory.

import type { GitHookRun } from '../../src/api/githookrun.ts';
import { runType } from '../../src/api/keys.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { fixedCredentials } from '../../src/kube/credentials.ts';
import type { ResourceType, StoredObject } from '../../src/kube/kube.ts';
import { type TestContext, testCluster } from '../env/cluster.ts';

/** One version of an object. */
export interface Seen<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

export interface Observer {
  readonly runs: readonly Seen<GitHookRun>[];
  readonly jobs: readonly Seen<KubeObject>[];
}

const jobType: ResourceType = { group: 'batch', version: 'v1', plural: 'jobs' };
/** Longer than any scenario. */
const timeoutSeconds = 3600;

/** From now on, until the test ends. */
export async function observe(t: TestContext, namespace: string): Promise<Observer> {
  const { server, ca, token } = testCluster();
  const client = new KubeClient({ server: { url: new URL(server), ca }, credentials: fixedCredentials({ token }) });
  const stop = new AbortController();
  const follow = async <T extends StoredObject>(
    type: ResourceType,
  ): Promise<{ seen: Seen<T>[]; over: Promise<void> }> => {
    const seen: Seen<T>[] = [];
    const { resourceVersion } = await client.list<T>(type, { namespace, signal: stop.signal });
    const watch = { namespace, resourceVersion, timeoutSeconds, allowWatchBookmarks: false };
    const over = (async () => {
      for await (const { type: kind, object } of client.watch<T>(type, watch, stop.signal)) {
        if (kind !== 'BOOKMARK') seen.push({ type: kind, object });
      }
    })();
    return { seen, over };
  };
  const [runs, jobs] = await Promise.all([follow<GitHookRun>(runType), follow<KubeObject>(jobType)]);
  t.after(async () => {
    stop.abort(new Error('the scenario is over'));
    await Promise.allSettled([runs.over, jobs.over]);
    client.close();
  });
  return { runs: runs.seen, jobs: jobs.seen };
}
