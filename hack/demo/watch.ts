// Watches what appears in the demo's namespace and hands each sight to the narrator: runs, Jobs, pods and their logs.
import { setTimeout as delay } from 'node:timers/promises';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { apiVersion } from '../../src/api/keys.ts';
import type { Api } from './api.ts';
import type { Job, Observation, Pod } from './observation.ts';

export interface WatchOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly observe: (observation: Observation) => void;
  readonly signal: AbortSignal;
}

/** Runs until the signal is aborted. What breaks is begun again: objects may be seen twice, never missed while they last. */
export async function watchNamespace(options: WatchOptions): Promise<void> {
  const { api, namespace, observe, signal } = options;
  const followed = new Map<string, Promise<void>>();
  const onPod = (pod: Pod): void => {
    const { uid } = pod.metadata;
    if (hasStarted(pod) && !followed.has(uid)) followed.set(uid, followLog(pod, options));
  };
  const follow = <T>(path: string, onObject: (object: T) => void) => followObjects(api, path, onObject, signal);
  await Promise.all([
    follow<GitHookRun>(`/apis/${apiVersion}/namespaces/${namespace}/githookruns`, (run) =>
      observe({ kind: 'run', run }),
    ),
    follow<Job>(`/apis/batch/v1/namespaces/${namespace}/jobs`, (job) => observe({ kind: 'job', job })),
    follow<Pod>(`/api/v1/namespaces/${namespace}/pods`, onPod),
  ]);
  await Promise.all(followed.values());
}

const againAfterMs = 500;

async function followObjects<T>(
  api: Api,
  path: string,
  onObject: (object: T) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const list = await api.get<{ metadata: { resourceVersion: string }; items: T[] }>(path, signal);
      for (const object of list.items) onObject(object);
      for await (const line of api.lines(`${path}?watch=1&resourceVersion=${list.metadata.resourceVersion}`, signal)) {
        const { type, object } = JSON.parse(line) as { type: string; object: T };
        if (type === 'ERROR') break; // such as 410: list again
        if (type !== 'DELETED') onObject(object);
      }
    } catch {
      // The API server was away or the demo ends: the loop knows which.
    }
    await delay(againAfterMs, undefined, { signal }).catch(() => {});
  }
}

function hasStarted({ status }: Pod): boolean {
  return status?.containerStatuses?.some(({ state }) => state?.running ?? state?.terminated) ?? false;
}

const toldLines = 20; // of one pod; kubectl logs shows the rest
const logAttempts = 5; // the kubelet may not know the log yet when the status says that the container runs

async function followLog(pod: Pod, { api, namespace, observe, signal }: WatchOptions): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log?follow=true`;
  for (let attempt = 1; attempt <= logAttempts && !signal.aborted; attempt++) {
    let told = 0;
    try {
      for await (const text of api.lines(path, signal)) {
        if (told++ === toldLines) observe({ kind: 'log', pod, text: '…' });
        if (told <= toldLines) observe({ kind: 'log', pod, text });
      }
      return;
    } catch {
      if (told > 0) return;
      await delay(againAfterMs, undefined, { signal }).catch(() => {});
    }
  }
}
