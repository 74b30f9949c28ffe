// All that is known of one push that went wrong, for the person who has to find out why.
import type { GitHookRun } from '../../../src/api/githookrun.ts';
import { callApi } from '../../env/api.ts';
import type { Violation } from './checker.ts';
import type { Sending } from './client.ts';
import type { State } from './long-run.ts';

/** Lines of each log that are shown. */
const shown = 80;

export async function explain(violation: Violation, sendings: readonly Sending[], state: State): Promise<string> {
  const { oracle, commit, detail } = violation;
  const { world, ledger, nemesis } = state;
  const sending = sendings.find(({ push }) => push.commit === commit);
  const runs = [...(ledger.byCommit.get(commit) ?? [])].flatMap((uid) => ledger.runs.get(uid) ?? []);
  const words = [commit, ...runs.flatMap(({ key, job }) => [key.split('/')[1] ?? '', job])];
  const stored = await Promise.all(runs.map(({ key }) => readRun(state, key)));
  return [
    `\n==== ${oracle}: ${detail}`,
    `push ${JSON.stringify(sending?.push)}`,
    ...(sending?.attempts ?? []).map(
      (attempt) => `sent ${JSON.stringify({ ...attempt, time: new Date(attempt.time) })}`,
    ),
    ...stored,
    '-- the proxies',
    ...world.trail.about(words).slice(0, shown),
    '-- the forge and Slack',
    ...world.forge.statuses.filter(({ sha }) => sha === commit).map((status) => JSON.stringify(status)),
    ...world.forge.messages.map((message) => JSON.stringify(message)).filter((message) => message.includes(commit)),
    '-- kube-git',
    ...world.replicas.flatMap((replica) => replica.linesAbout(words).slice(0, shown)),
    '-- faults',
    ...nemesis.history.slice(-shown),
    '====',
  ].join('\n');
}

async function readRun({ world }: State, key: string): Promise<string> {
  const [namespace, name] = key.split('/');
  const path = `/apis/kubegit.appspero.com/v1alpha1/namespaces/${namespace}/githookruns/${name}`;
  const run = await callApi<GitHookRun>(world.plane, 'GET', path).catch((error: unknown) => `${error}`);
  return `run ${JSON.stringify(run)}`;
}
