// What the answers to people work with, made once by the controller.
import type { GitHook } from '../../api/githook.ts';
import type { Clock } from '../../clock.ts';
import type { RefSource } from '../../git/git.ts';
import type { Kube } from '../../kube/kube.ts';
import type { EventRecorder } from '../../kube/recorder.ts';
import type { LimitedTurns } from '../limited-turns.ts';
import type { Acting } from '../permission.ts';
import type { RunStore } from '../run-store.ts';

export interface ByHandContext {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly runs: RunStore;
  readonly refs: RefSource;
  /** For questions to git servers. */
  readonly turns: LimitedTurns;
  /** When an answer was first tried to be found, by what was asked; milliseconds of the monotonic clock. */
  readonly firstTries: Map<string, number>;
  /** The GitHook's ServiceAccount. */
  actingFor(gitHook: GitHook): Acting;
}
