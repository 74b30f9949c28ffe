// The measure of what the API server itself does: the Job that kube-git creates, created again and again by a bare client.
// Called by bench/groups/burst.ts.
import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../../src/api/object.ts';
import type { Bench } from '../group.ts';
import { atOnce } from './api-client.ts';
import { inTurns } from './in-turns.ts';
import { makePlace } from './place.ts';

interface Job extends KubeObject {
  readonly spec: {
    readonly template: { readonly metadata?: object; readonly spec: object };
    readonly selector?: object;
  };
}

export const bareCreates = `bare creates, ${atOnce} at a time`;

/** Creates so many Jobs like this one in a namespace that nobody watches; returns when each was answered, by performance.now(). */
export async function createBare(bench: Bench, job: KubeObject, count: number): Promise<readonly number[]> {
  const place = await makePlace(bench, 'bench-bare');
  const bodies = Array.from({ length: count }, () => copyOf(job as Job));
  const times: number[] = [];
  await inTurns(bodies, atOnce, async (body) => {
    await place.client.call('POST', place.jobs, body);
    times.push(performance.now());
  });
  return times;
}

/** As it was sent: without what the API server added. */
function copyOf({ apiVersion, kind, metadata, spec }: Job): object {
  const { labels, annotations, ownerReferences } = metadata;
  const { selector: _added, template, ...own } = spec;
  return {
    ...{ apiVersion, kind },
    metadata: { name: `build-${randomUUID()}`, labels, annotations, ownerReferences },
    spec: { ...own, template: { spec: template.spec } },
  };
}
