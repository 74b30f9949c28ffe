// Faults that need more than one rule, or a hand in the cluster.
import type { KubeObject } from '../../src/api/object.ts';
import { api } from '../env/cluster.ts';
import { waitFor } from '../env/wait.ts';
import type { Door, Nemesis } from './points.ts';
import { pushUnheard } from './push.ts';
import type { Scene, Story } from './scenario.ts';
import { gitHooksIn, jobsIn, runsIn } from './site.ts';

const notFound = {
  kind: 'answer',
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: 404, reason: 'NotFound', message: 'not found' }),
} as const;

/** The first two times that an object of this type is asked for there is none, as an API server says that is behind (K-09). */
export function forgetsTwice(type: string): Nemesis {
  return ({ name }) => (name === `GET ${type} #1` || name === `GET ${type} #2` ? notFound : undefined);
}

/** From the point that is named after the word "after" on, nobody answers at this door. */
export function cannotReach(door: Door, when: string): Nemesis {
  let begun = false;
  return (point) => {
    if (begun) return point.door === door ? { kind: 'drop' } : undefined;
    begun = `after ${point.name}` === when;
    return undefined;
  };
}

/** Somebody else makes a Job of the name that the run has written down for its child. */
export async function squatter({ namespace }: Scene): Promise<void> {
  const named = async (): Promise<string | undefined> => (await runsIn(namespace))[0]?.status?.resource?.name;
  const name = await waitFor(named, { what: 'the run to name its child' });
  if ((await jobsIn(namespace)).length > 0) return;
  const job: KubeObject = {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name } },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'other', image: 'busybox' }] } } },
  };
  await api('POST', `/apis/batch/v1/namespaces/${namespace}/jobs`, job);
}

/**
 * The process is stopped (SIGSTOP) while it writes down that the Job runs; another one takes over and brings the run to its end;
 * then the first one goes on, about to tell the start.
 */
export function suspended(): Omit<Story, 'program'> {
  const stopped = Promise.withResolvers<void>();
  return {
    args: ['-leader-elect-lease-duration=6s'],
    nemesis: ({ name }, hand) => {
      if (name === 'PUT githookruns/status #2') {
        hand.suspend();
        stopped.resolve();
      }
      return undefined;
    },
    afterwards: async ({ startAnother }) => {
      await stopped.promise;
      await startAnother();
    },
    atLast: async ({ resume }) => resume(),
  };
}

/** What each of the two GitHooks has seen is stored by then: its second look comes after that. */
const enoughLooks = 5;
export const pollSoon: readonly string[] = ['-poll-interval=3s', '-poll-settle=1s'];

/** Until the refs are known from before the push. */
export async function lookedAtAll({ lane }: Scene): Promise<void> {
  const hasLooked = (): boolean => {
    const looks = lane.callsSince(0).filter((call) => call.what === 'POST git-upload-pack');
    return looks.length >= enoughLooks && looks.every(({ done }) => done);
  };
  await waitFor(hasLooked, { what: 'looks at the refs', deadlineMs: 60_000 });
}

/** Looks go on for ever, and nothing would be at rest. */
export async function pollNoMore({ namespace }: Scene): Promise<void> {
  for (const { metadata } of await gitHooksIn(namespace)) {
    const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githooks/${metadata.name}`;
    await api('PATCH', path, { spec: { poll: { intervalSeconds: 0 } } });
  }
}

/** The push comes while kube-git is dead, and no webhook tells of it: only what it has stored before says that it is new. */
export function unheard(): Omit<Story, 'program'> {
  let manifest = '';
  return {
    ...{ polled: true, args: pollSoon, atLast: pollNoMore },
    arrive: async (scene, what) => {
      manifest = what;
      await lookedAtAll(scene);
      await scene.killAndRestart();
    },
    downtime: ({ lane }) => pushUnheard(lane, manifest),
  };
}
