// What a person needs to see when something did not happen: what was expected, and what the parts say about it.
import { messageOf } from '../../src/errors.ts';
import type { Stage } from './set-up.ts';

const logLines = 25;

/** The whole text. Asks the cluster; what cannot be had is left out with the reason. */
export async function report(error: unknown, { cluster, kubeGit }: Stage): Promise<string> {
  const { namespace, kubectl } = cluster;
  const ask = (...args: string[]) => kubectl(...args, `--namespace=${namespace}`).catch(messageOf);
  const parts = {
    "The end of kube-git's log": kubeGit.logTail(logLines),
    'kubectl describe githooks,githookruns,jobs': await ask('describe', 'githooks,githookruns,jobs'),
    'kubectl get pods': await ask('get', 'pods', '--output=wide'),
    'kubectl get events': await ask('get', 'events', '--sort-by=.lastTimestamp'),
  };
  const sections = Object.entries(parts).map(([title, text]) => `── ${title} ──\n${text.trimEnd() || '(nothing)'}`);
  return [messageOf(error), ...sections].join('\n\n');
}
