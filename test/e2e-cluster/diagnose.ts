// What a person needs when a test in the cluster failed: the last logs, the objects, the events.
import { messageOf } from '../../src/errors.ts';
import type { Argo } from '../env/argo/argo.ts';
import type { Gitea } from '../env/gitea/gitea.ts';

export interface Parts {
  readonly argo: Argo;
  readonly gitea: Gitea;
  kubectl(...args: string[]): Promise<string>;
}

const logLines = 60;

/** The whole text. What cannot be had is left out with the reason. */
export async function diagnose({ argo, gitea, kubectl }: Parts): Promise<string> {
  const commands = [
    ['get', 'pods', '--all-namespaces', '--output=wide'],
    ['describe', 'pods', '--all-namespaces', '-l', 'k8s-app=kube-git'],
    ['logs', '--all-namespaces', '-l', 'k8s-app=kube-git', `--tail=${logLines}`],
    ['describe', 'githooks', '--all-namespaces'],
    ['describe', 'githookruns', '--all-namespaces'],
    ['get', 'jobs,workflows', '--all-namespaces', '--output=wide'],
    ['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp'],
  ];
  const parts: string[] = [];
  for (const command of commands) {
    parts.push(section(`kubectl ${command.join(' ')}`, await kubectl(...command).catch(messageOf)));
  }
  parts.push(section("The end of Gitea's log", gitea.logTail(logLines)));
  parts.push(section("The end of the workflow controller's log", argo.logTail(logLines)));
  return parts.join('\n\n');
}

function section(title: string, text: string): string {
  return `── ${title} ──\n${text.trimEnd() || '(nothing)'}`;
}
