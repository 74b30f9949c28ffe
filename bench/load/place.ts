// A group's own namespace on the cluster that all groups share, and what it holds. Called by bench/groups.
import type { GitHookSpec } from '../../src/api/githook.ts';
import { apiVersion } from '../../src/api/keys.ts';
import { waitFor } from '../../test/env/wait.ts';
import { watchAll } from '../../test/faults/long/watching.ts';
import type { Bench } from '../group.ts';
import { ApiClient } from './api-client.ts';

const emptyWithinMs = 180_000;
/** Deleted by one request: the API server deletes them one after another. */
const deletedAtOnce = 1_000;

/** A namespace, and the paths of its collections. */
export interface Place {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly gitHooks: string;
  readonly runs: string;
  readonly jobs: string;
}

/** Makes the namespace; everything in it is deleted when the group ends. Call it before anything that writes there is started. */
export async function makePlace(bench: Bench, namespace: string): Promise<Place> {
  const client = new ApiClient(await bench.cluster(), bench.signal);
  await client.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  const own = `/apis/${apiVersion}/namespaces/${namespace}`;
  const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const place = { client, namespace, gitHooks: `${own}/githooks`, runs: `${own}/githookruns`, jobs };
  bench.after(async () => {
    if (!bench.signal.aborted) await empty(bench, place); // else the cluster goes as well
    client.close();
  });
  return place;
}

/** Deletes all objects of these collections. */
export async function remove(bench: Bench, { client }: Place, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const isEmpty = async (): Promise<boolean> => {
      await client.call('DELETE', `${path}?limit=${deletedAtOnce}`, { propagationPolicy: 'Background' });
      return (await client.call<{ items: readonly unknown[] }>('GET', `${path}?limit=1`)).items.length === 0;
    };
    await waitFor(isEmpty, { what: `${path} to be empty`, deadlineMs: emptyWithinMs, signal: bench.signal });
  }
}

async function empty(bench: Bench, place: Place): Promise<void> {
  const { namespace, gitHooks, runs, jobs } = place;
  const events = `/api/v1/namespaces/${namespace}/events`;
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  await remove(bench, place, [gitHooks, runs, jobs, events, leases]);
  await place.client.call('DELETE', `/api/v1/namespaces/${namespace}`);
}

/** A GitHook as a team applies it: without spec, one of a repository that nobody asks. */
export async function createGitHook(
  { client, gitHooks }: Place,
  name: string,
  spec: Partial<GitHookSpec> = {},
): Promise<void> {
  const repository = `https://example.com/acme/${name}.git`;
  await client.call('POST', gitHooks, {
    ...{ apiVersion, kind: 'GitHook', metadata: { name } },
    spec: { repository, branches: ['main', 'release/*'], manifest: 'job.yaml', ...spec },
  });
}

interface Named {
  readonly metadata: { readonly name?: string; readonly resourceVersion?: string };
}

/** Waits until at least `count` objects of the collection are as they should be, by a watch. */
export async function untilAll<T extends Named>(
  bench: Bench,
  { client }: Place,
  wanted: { readonly path: string; readonly count: number; readonly what: string; isSo(object: T): boolean },
): Promise<void> {
  const found = new Set<string>();
  const note = (object: T): void => {
    if (wanted.isSo(object)) found.add(object.metadata.name ?? '');
  };
  const enough = new AbortController();
  const signal = AbortSignal.any([bench.signal, enough.signal]);
  const watching = watchAll<T>(client.server, wanted.path, note, signal);
  const { what, count } = wanted;
  try {
    await waitFor(() => found.size >= count, { what: `${count} ${what}`, deadlineMs: 300_000, signal: bench.signal });
  } finally {
    enough.abort();
    await watching;
  }
}
