// Keeps kube-git from leading: holds its Lease as another replica would. Called by bench/groups.
import { formatTime } from '../../src/clock.ts';
import type { Bench } from '../group.ts';
import type { Place } from './place.ts';

/** A replica leaves a Lease alone for a minute at most while nobody renews it. */
const leaseSeconds = 60;
const renewEveryMs = 15_000;

/** Until the group ends. Call it before kube-git is started. */
export async function holdLease(bench: Bench, { client, namespace }: Place): Promise<void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const now = (): string => formatTime(Date.now()).replace('Z', '.000000Z');
  const spec = { holderIdentity: 'another replica', leaseDurationSeconds: leaseSeconds };
  await client.call('POST', path, { metadata: { name: 'kube-git' }, spec: { ...spec, renewTime: now() } });
  const renew = (): void => {
    client.call('PATCH', `${path}/kube-git`, { spec: { renewTime: now() } }).catch(() => undefined);
  };
  const timer = setInterval(renew, renewEveryMs);
  bench.after(() => clearInterval(timer));
}
