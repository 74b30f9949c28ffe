// In place of the Job controller and a kubelet: each Job of a namespace has a ready pod as soon as it is there, and never ends.
// Called by bench/groups/burst.ts. Without it kube-git would look, again and again, for the pods of every Job there is.
import type { KubeObject } from '../../src/api/object.ts';
import { watchAll } from '../../test/faults/long/watching.ts';
import type { Bench } from '../group.ts';
import type { Place } from './place.ts';

/** Goes on until the group ends; what fails is told, and costs only that kube-git looks. */
export function readyPods(bench: Bench, { client, jobs }: Place): void {
  const seen = new Set<string>();
  const note = ({ metadata }: KubeObject, deleted: boolean): void => {
    const { uid = '', name = '' } = metadata;
    if (deleted || seen.has(uid)) return;
    seen.add(uid);
    const startTime = `${new Date().toISOString().slice(0, 19)}Z`;
    const status = { startTime, active: 1, ready: 1 };
    client.call('PATCH', `${jobs}/${name}/status`, { status }).catch((error: unknown) => {
      if (!ended.signal.aborted) bench.tell(`a Job has no ready pod: ${error}`);
    });
  };
  const ended = new AbortController();
  const watching = watchAll<KubeObject>(client.server, jobs, note, AbortSignal.any([bench.signal, ended.signal]));
  bench.after(async () => {
    ended.abort();
    await watching;
  });
}
