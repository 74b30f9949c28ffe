// There is no kubelet here: ends the pods of Jobs, well or badly as the seed says, so that the job controller ends the Jobs.
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../../../src/api/object.ts';
import { ApiError, type ApiServer, callApi } from '../../env/api.ts';
import { Chance } from './chance.ts';
import { watchAll } from './watching.ts';

const jobLabel = 'batch.kubernetes.io/job-name';
const longestPodMs = 2_000;
const failedShare = 0.2;

type Pod = KubeObject & { readonly status?: { readonly phase?: string } };

export class Ender {
  readonly #seed: number;
  readonly #begun = new Set<string>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** How the pods of this Job (namespace/name) end. */
  outcomeOf(job: string): 'Succeeded' | 'Failed' {
    return new Chance(this.#seed, job).next() < failedShare ? 'Failed' : 'Succeeded';
  }

  async watch(api: ApiServer, signal: AbortSignal): Promise<void> {
    const working = new Set<Promise<void>>();
    await watchAll<Pod>(
      api,
      '/api/v1/pods',
      (pod, deleted) => {
        const uid = pod.metadata.uid ?? '';
        if (deleted || this.#begun.has(uid) || pod.metadata.labels?.[jobLabel] === undefined) return;
        this.#begun.add(uid);
        const work = this.#end(api, pod, signal).finally(() => working.delete(work));
        working.add(work);
      },
      signal,
    );
    await Promise.all(working);
  }

  /** Until it is done: the API server may be away. */
  async #end(api: ApiServer, { metadata }: Pod, signal: AbortSignal): Promise<void> {
    const job = `${metadata.namespace}/${metadata.labels?.[jobLabel]}`;
    const status = { phase: this.outcomeOf(job) };
    await delay(new Chance(this.#seed, `${job} lasts`).between(0, longestPodMs), undefined, { signal }).catch(
      () => undefined,
    );
    while (!signal.aborted) {
      try {
        await callApi(api, 'PATCH', `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`, {
          body: { status },
        });
        return;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return;
        await delay(500, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
