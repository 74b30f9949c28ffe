// What people do by hand in tests: annotate, and read Events.
import type { ObjectMeta } from '../../src/api/object.ts';
import { api } from './cluster.ts';

/** Sets annotations as kubectl annotate --overwrite does; null takes one away. */
export function annotate<T>(
  namespace: string,
  plural: 'githooks' | 'githookruns',
  name: string | undefined,
  annotations: Readonly<Record<string, string | null>>,
): Promise<T> {
  const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/${plural}/${name}`;
  return api<T>('PATCH', path, { metadata: { annotations } });
}

export interface SeenEvent {
  readonly metadata: ObjectMeta;
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly count: number;
}

/** The Events with this reason about the object of this name. */
export async function eventsAbout(
  namespace: string,
  name: string | undefined,
  reason: string,
): Promise<readonly SeenEvent[]> {
  const selector = encodeURIComponent(`involvedObject.name=${name},reason=${reason}`);
  const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`;
  return (await api<{ items: SeenEvent[] }>('GET', path)).items;
}
