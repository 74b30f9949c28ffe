// The runs of each GitHook as the watch shows them and as kube-git wrote them itself, whichever came last.
import type { GitHookRun } from '../api/githookrun.ts';
import { formatKey, keyOf } from '../api/object.ts';
import { isNewer } from './run-store.ts';
import { findSink, type SinkKey } from './telling/sinks.ts';

export class RunIndex {
  readonly #byGitHook = new Map<string, Map<string, GitHookRun>>();

  set(run: GitHookRun): void {
    const { uid } = run.spec.gitHookRef;
    const runs = this.#byGitHook.get(uid) ?? new Map<string, GitHookRun>();
    runs.set(formatKey(keyOf(run)), run);
    this.#byGitHook.set(uid, runs);
  }

  remove(run: GitHookRun): void {
    const { uid } = run.spec.gitHookRef;
    const runs = this.#byGitHook.get(uid);
    runs?.delete(formatKey(keyOf(run)));
    if (runs?.size === 0) this.#byGitHook.delete(uid);
  }

  /** The runs of the GitHook with this UID, newest first. */
  of(gitHookUid: string): readonly GitHookRun[] {
    return [...(this.#byGitHook.get(gitHookUid)?.values() ?? [])].sort((a, b) => compareAge(b, a));
  }

  /** Of what the watch shows of a run and what was written last, the newer. */
  newest(shown: GitHookRun): GitHookRun {
    const known = this.#byGitHook.get(shown.spec.gitHookRef.uid)?.get(formatKey(keyOf(shown)));
    if (known === undefined || known.metadata.uid !== shown.metadata.uid) return shown;
    return isNewer(known, shown) ? known : shown;
  }

  /** The newest run of the GitHook and commit that has a word for a sink of this type, with the sink. */
  speaker(gitHookUid: string, commit: string, type: string): { run: GitHookRun; sink: SinkKey } | undefined {
    for (const run of this.of(gitHookUid)) {
      const sink = run.status?.sinks?.find((one) => one.type === type && one.desired !== undefined);
      if (sink && run.spec.commit === commit) return { run, sink };
    }
    return undefined;
  }

  /** Whether a newer run of the same GitHook and commit has something to say to this sink. */
  hasNewerWord(run: GitHookRun, sink: SinkKey): boolean {
    const others = this.#byGitHook.get(run.spec.gitHookRef.uid)?.values() ?? [];
    for (const other of others) {
      if (other.spec.commit !== run.spec.commit || other.metadata.uid === run.metadata.uid) continue;
      if (compareAge(other, run) > 0 && findSink(other, sink)?.desired !== undefined) return true;
    }
    return false;
  }
}

/** Positive when `a` is newer. Creation times have whole seconds: then the time of receiving, the sequence and the name decide. */
function compareAge(a: GitHookRun, b: GitHookRun): number {
  const createdA = a.metadata.creationTimestamp ?? '';
  const createdB = b.metadata.creationTimestamp ?? '';
  if (createdA !== createdB) return createdA > createdB ? 1 : -1;
  const [receivedA, receivedB] = [Date.parse(a.spec.receivedTime), Date.parse(b.spec.receivedTime)];
  if (receivedA !== receivedB) return receivedA > receivedB ? 1 : -1;
  if (a.spec.sequence !== b.spec.sequence) return a.spec.sequence - b.spec.sequence;
  return (a.metadata.name ?? '') > (b.metadata.name ?? '') ? 1 : -1;
}
