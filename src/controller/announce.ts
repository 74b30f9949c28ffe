// A run's turning points, for people: an Event on the GitHook, a line in the log, a count.
import type { GitHook } from '../api/githook.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { gitHookKey } from '../api/keys.ts';
import type { EventRecorder } from '../kube/recorder.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ResourceKind } from '../resource/resource.ts';

export interface Announcer {
  created(run: GitHookRun, kind: ResourceKind): void;
  ended(run: GitHookRun): void;
}

export function createAnnouncer(deps: {
  readonly gitHooks: { get(key: string): GitHook | undefined };
  readonly recorder: EventRecorder;
  readonly log: Log;
  readonly metrics: Metrics;
}): Announcer {
  const tell = (run: GitHookRun, type: 'Normal' | 'Warning', reason: string, message: string): void => {
    const gitHook = deps.gitHooks.get(gitHookKey(run));
    if (gitHook) deps.recorder.event(gitHook, type, reason, message);
  };
  return {
    created(run, kind) {
      const { name } = run.status?.resource ?? {};
      const seconds = (Date.parse(run.status?.startTime ?? '') - Date.parse(run.spec.receivedTime)) / 1000;
      deps.metrics.pushToCreated.observe(Math.max(0, seconds));
      deps.log.info({ ...fields(run), resource: name }, 'resource created');
      tell(run, 'Normal', 'ResourceCreated', `created ${kind.title} ${name} for ${pushOf(run)}`);
    },
    ended(run) {
      const { phase = 'Failed', reason = '', message = '' } = run.status ?? {};
      deps.metrics.runs.inc({ phase, reason });
      deps.log.info({ ...fields(run), phase, reason }, 'run ended');
      const type = phase === 'Failed' ? 'Warning' : 'Normal';
      tell(run, type, `Run${phase}`, `run ${run.metadata.name} of ${pushOf(run)}: ${reason}: ${message}`);
    },
  };
}

function fields(run: GitHookRun): Record<string, unknown> {
  return {
    run: `${run.metadata.namespace}/${run.metadata.name}`,
    githook: gitHookKey(run),
    commit: run.spec.commit,
    ref: run.spec.ref,
  };
}

function pushOf(run: GitHookRun): string {
  return `${run.spec.ref} (${run.spec.commit.slice(0, 12)})`;
}
