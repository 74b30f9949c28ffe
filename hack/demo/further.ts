// Where to look when the two pushes are over: commands to copy. Called by demo.ts.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Stage } from './set-up.ts';

/** Lines to print. */
export async function lookFurther({ cluster, forge, kubeGit, repository }: Stage): Promise<string[]> {
  const { namespace } = cluster;
  const run = await newestRun(cluster);
  return [
    'In another terminal:',
    ...command('', `export KUBECONFIG=${cluster.kubeconfig}`),
    ...((await hasKubectl())
      ? []
      : command('', `alias kubectl='${[cluster.program.file, ...component(cluster)].join(' ')}'`)),
    ...command('what came of the pushes', `kubectl get githooks,githookruns -n ${namespace} -o wide`),
    ...command('one of them in full', `kubectl describe githookrun ${run} -n ${namespace}`),
    ...command('push again, it is told here', `git clone ${repository.url}`),
    ...command('commit statuses', `curl ${forge.url}/statuses`),
    ...command('Slack messages', `curl ${forge.url}/slack`),
    ...command('deliveries and answers', `curl ${forge.url}/deliveries`),
    ...command('metrics of kube-git', `curl ${kubeGit.privateUrl}/metrics`),
    ...command('its log', `tail -f ${kubeGit.logFile}`),
    '',
    'Ctrl-C ends the demo and removes all of it.',
  ];
}

const commandWidth = 70; // characters; longer ones push their explanation to the right

function command(explanation: string, text: string): string[] {
  return [explanation === '' ? `  ${text}` : `  ${text.padEnd(commandWidth)}  # ${explanation}`];
}

/** Of our own program, which is every component, kubectl is an argument. */
function component({ program }: Stage['cluster']): readonly string[] {
  return program.args.filter((argument) => !argument.startsWith('-'));
}

async function newestRun({ kubectl, namespace }: Stage['cluster']): Promise<string> {
  const sorted = ['get', 'githookruns', `--namespace=${namespace}`, '--sort-by=.metadata.creationTimestamp'];
  const names = await kubectl(...sorted, '--output=jsonpath={.items[*].metadata.name}');
  return names.trim().split(' ').at(-1) ?? '';
}

async function hasKubectl(): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, 'kubectl'), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
