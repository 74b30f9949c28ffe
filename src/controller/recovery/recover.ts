// What is done about a push that never arrived: it is recorded as a delivery would be, and people are told where it came
// from. Called by poller.ts for one ref, and by log-reader.ts for one delivery and one GitHook at a time.
import type { GitHook } from '../../api/githook.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import type { DeliveryId, Push } from '../../api/push.ts';
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { CommitWords, Credentials, RefSource } from '../../git/git.ts';
import type { Kube } from '../../kube/kube.ts';
import type { EventRecorder } from '../../kube/recorder.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import { oneLine } from '../../text.ts';
import type { Sighting } from './look.ts';

export interface Found {
  readonly gitHook: GitHook;
  readonly sighting: Sighting;
  /** Of the repository. */
  readonly credentials: Credentials;
}

/** recovered: it has its run now. told: a webhook was faster. nothing: no commit was pushed, so there is nothing to run. */
export type Recovered = 'recovered' | 'told' | 'nothing';

/** A push as the poll knows it, to be recorded; see receiver/record.ts. */
export interface SeenPush {
  readonly gitHook: GitHook;
  readonly push: Push;
  readonly source: 'Poll';
  readonly receivedMs: number;
  readonly unseenMs: number;
}

/** A push as a forge's log of deliveries has it. */
export interface PushInLog {
  readonly push: Push;
  readonly delivery: DeliveryId;
}

export interface LoggedPush extends PushInLog {
  readonly gitHook: GitHook;
  readonly source: 'DeliveryLog';
  readonly receivedMs: number;
}

/** Finds the run of the push or makes it. `run` is namespace/name. */
export type RecordPush = (
  push: SeenPush | LoggedPush,
  context: { readonly kube: Kube; readonly signal: AbortSignal },
) => Promise<{ readonly kind: 'created' | 'duplicate' | 'claimed'; readonly run: string }>;

export interface RecoverDeps {
  readonly kube: Kube;
  readonly refs: Pick<RefSource, 'describe'>;
  readonly record: RecordPush;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'recovered'>;
}

/** What a run says in spec.forge where no forge told. */
const nobody = 'git';
/** The API server takes 1024 bytes for the message of an Event. */
const maxShownRef = 200;

/** Throws what is to be tried again. */
export async function recover(found: Found, deps: RecoverDeps, signal: AbortSignal): Promise<Recovered> {
  const { clock } = deps;
  const { gitHook, sighting } = found;
  const push = await pushOf(found, deps, signal);
  if (push === undefined) return 'nothing';
  const seen = { gitHook, push, source: 'Poll' as const, receivedMs: clock.now(), unseenMs: sighting.unseenMs };
  return record(seen, 'no webhook told of it, the comparison of refs found it', deps, signal);
}

/** The same for a delivery that failed, with what the log says it was answered. */
export function recoverLogged(
  logged: PushInLog & { readonly gitHook: GitHook; readonly statusCode: number },
  deps: RecoverDeps,
  signal: AbortSignal,
): Promise<Recovered> {
  const { gitHook, push, delivery, statusCode } = logged;
  const found = { gitHook, push, delivery, source: 'DeliveryLog' as const, receivedMs: deps.clock.now() };
  return record(found, `its delivery failed (${statusCode}), the forge's log of deliveries has it`, deps, signal);
}

async function record(
  push: SeenPush | LoggedPush,
  how: string,
  deps: RecoverDeps,
  signal: AbortSignal,
): Promise<Recovered> {
  const { kind, run } = await deps.record(push, { kube: deps.kube, signal });
  if (kind !== 'created') return 'told';
  announce(push, run, how, deps);
  return 'recovered';
}

/** Undefined for a tag of something that is no commit. */
async function pushOf(
  { gitHook, sighting, credentials }: Found,
  { refs }: RecoverDeps,
  signal: AbortSignal,
): Promise<Push | undefined> {
  const { ref, id, peeled } = sighting;
  const commit = { url: gitHook.spec.repository, id: peeled };
  const words = await refs.describe(commit, credentials, signal).catch(wordsAfter);
  const unknown = { cloneUrls: [], before: undefined, pushTime: undefined };
  return words && { forge: nobody, ...unknown, ref, after: id, commit: peeled, ...words };
}

/** What a person must mend would hold up the run as well, which can say so. */
function wordsAfter(error: unknown): CommitWords {
  if (!(error instanceof TerminalError)) throw error;
  return { author: '', message: '' };
}

function announce({ gitHook, push, source }: SeenPush | LoggedPush, run: string, how: string, deps: RecoverDeps): void {
  const { recorder, log, metrics } = deps;
  const { ref, commit } = push;
  const what = `${oneLine(ref, maxShownRef)} (${commit.slice(0, 12)})`;
  recorder.event(gitHook, 'Normal', 'PushRecovered', `the push of ${what} runs late: ${how}: ${run.split('/')[1]}`);
  log.info({ githook: formatKey(keyOf(gitHook)), run, ref, commit, source }, 'push recovered');
  metrics.recovered.inc({ source });
}
