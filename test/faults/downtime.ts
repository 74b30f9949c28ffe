// What can happen while kube-git is dead.
import type { KubeObject } from '../../src/api/object.ts';
import { waitFor } from '../env/wait.ts';
import { endJobs, hasEnded } from './push.ts';
import { manifest, type Scene } from './scenario.ts';
import { jobsIn } from './site.ts';

/** A manifest whose Job the cluster deletes as soon as it has ended. */
export const fleetingManifest = manifest.replace('backoffLimit: 0', 'backoffLimit: 0\n  ttlSecondsAfterFinished: 0');

/** The forge's user presses "Redeliver". Nobody is there to answer. */
export async function redeliver({ lane, delivery }: Scene): Promise<void> {
  const id = await waitFor(delivery, { what: 'the delivery to be tried' });
  await lane.forge.redeliver(id);
}

/** The Job ends, where there is one; where its clean-up time is nought it is gone then. */
export async function finishJobs({ lane, namespace }: Scene): Promise<void> {
  const isSettled = (): boolean => lane.callsSince(0).every(({ done, what }) => done || what.startsWith('WATCH'));
  await waitFor(isSettled, { what: 'the last requests of the dead to be over' });
  await endJobs(namespace);
  const isOver = async (): Promise<boolean> =>
    (await jobsIn(namespace)).every((job) => hasEnded(job) && ttlOf(job) !== 0);
  await waitFor(isOver, { what: 'the Job to have ended' });
}

function ttlOf({ spec }: KubeObject): unknown {
  return (spec as { ttlSecondsAfterFinished?: number }).ttlSecondsAfterFinished;
}
