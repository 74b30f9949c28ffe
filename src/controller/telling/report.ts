// A run as those who are told see it.
import type { GitHookRun } from '../../api/githookrun.ts';
import { gitHookKey } from '../../api/keys.ts';
import type { Report, ReportState } from '../../notifier/notifier.ts';

export interface ReportOptions {
  /** The commit status context of the whole installation; '' for one of each GitHook's own. */
  readonly statusContext: string;
  /** What people call a kind, such as Argo Workflow. */
  title(apiVersion: string, kind: string): string;
}

/** The context of a GitHook's commit status: its own, else the installation's, else one that no other GitHook has. */
export function contextOf(
  gitHook: string,
  own: string | undefined,
  options: Pick<ReportOptions, 'statusContext'>,
): string {
  return own || options.statusContext || `kube-git/${gitHook}`;
}

export function reportOf(run: GitHookRun, state: ReportState, options: ReportOptions): Report {
  const { spec, status } = run;
  const gitHook = gitHookKey(run);
  const { resource } = status ?? {};
  return {
    state,
    gitHook,
    namespace: run.metadata.namespace ?? '',
    run: run.metadata.name ?? '',
    repository: spec.repository,
    ref: spec.ref,
    commit: spec.commit,
    author: spec.author ?? '',
    context: contextOf(gitHook, spec.notification?.context, options),
    resource:
      resource?.uid === undefined
        ? undefined
        : { title: options.title(resource.apiVersion, resource.kind), name: resource.name },
    reason: status?.reason ?? '',
    message: status?.message ?? '',
  };
}
