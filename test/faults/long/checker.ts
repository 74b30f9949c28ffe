// The verdict: what must hold for every push of a long run, whatever the nemesis did. Reads what others have written down (the
// client, the independent watch, the proxies, the forge and Slack), asks nobody.
import type { CommitStatus } from '../../env/forge/statuses.ts';
import type { Sending } from './client.ts';
import type { Ender } from './ender.ts';
import type { Ledger, SeenRun } from './ledger.ts';
import type { Push } from './pushes.ts';
import type { World } from './world.ts';

export interface Violation {
  /** Which promise is broken. */
  readonly oracle:
    | 'taken'
    | 'lost'
    | 'doubled'
    | 'acknowledged too early'
    | 'result'
    | 'forge'
    | 'slack'
    | 'unfinished'
    | 'unknown run';
  readonly detail: string;
  readonly commit: string;
}

export interface Evidence {
  readonly world: Pick<World, 'forge' | 'trail'>;
  readonly sendings: readonly Sending[];
  readonly ledger: Ledger;
  readonly ender: Ender;
}

/** What was told of a commit, oldest first. */
interface Told {
  readonly forge: ReadonlyMap<string, readonly CommitStatus[]>;
  readonly slack: ReadonlyMap<string, readonly string[]>;
}

export function check(evidence: Evidence): readonly Violation[] {
  const { sendings, ledger, world } = evidence;
  for (const { uid, ownerUid } of world.trail.jobs) ledger.addChild(ownerUid, uid);
  const told = toldOf(world);
  const pushed = new Set(sendings.map(({ push }) => push.commit));
  const strange = [...ledger.byCommit.keys()].filter((commit) => !pushed.has(commit));
  return [
    ...sendings.flatMap((sending) => checkPush(sending, evidence, told)),
    ...strange.map((commit) => ({ oracle: 'unknown run' as const, commit, detail: 'nobody pushed this commit' })),
  ];
}

function checkPush(sending: Sending, evidence: Evidence, told: Told): readonly Violation[] {
  const { commit } = sending.push;
  const { ledger } = evidence;
  const runs = [...(ledger.byCommit.get(commit) ?? [])].flatMap((uid) => ledger.runs.get(uid) ?? []);
  const isTaken = sending.takenAt !== undefined;
  const found: Finding[] = [['taken', isTaken ? undefined : 'never answered with 2xx']];
  if (runs.length > 1) found.push(['doubled', `has ${runs.length} runs: ${runs.map(({ key }) => key).join(', ')}`]);
  if (runs.length === 0 && isTaken) found.push(['lost', 'was answered with 2xx and has no run']);
  const [run] = runs;
  if (run !== undefined) found.push(...checkRun(run, sending, evidence, told));
  return found.flatMap(([oracle, detail]) => (detail === undefined ? [] : { oracle, detail, commit }));
}

type Finding = readonly [Violation['oracle'], string | undefined];

function checkRun(run: SeenRun, sending: Sending, evidence: Evidence, told: Told): readonly Finding[] {
  const { commit } = sending.push;
  const { uid, phase, reason, isOver, deleted } = run;
  const children = evidence.ledger.children.get(uid)?.size ?? 0;
  const isDone = isOver && !deleted;
  return [
    ['doubled', children > 1 ? `had ${children} Jobs` : undefined],
    ['lost', children === 0 ? `had no Job: ${phase} ${reason}` : undefined],
    ['acknowledged too early', early(sending, run, evidence)],
    ['result', wrongResult(run, evidence)],
    ['unfinished', isDone ? undefined : `${phase} ${reason}${deleted ? ', deleted' : ''}`],
    ['forge', wrongStatuses(sending.push, run, told.forge.get(commit) ?? [])],
    ['slack', wrongMessages(run, told.slack.get(commit) ?? [])],
  ];
}

/** A 2xx promises that the run is stored. */
function early({ takenAt }: Sending, { key }: SeenRun, { ledger, world }: Evidence): string | undefined {
  const stored = Math.min(
    world.trail.storedAt.get(key) ?? Number.POSITIVE_INFINITY,
    ledger.seenAt.get(key) ?? Number.POSITIVE_INFINITY,
  );
  if (takenAt === undefined || stored <= takenAt) return undefined;
  return `2xx ${(stored - takenAt).toFixed(1)} ms before the run was stored`;
}

function wrongResult(run: SeenRun, { ender }: Evidence): string | undefined {
  const wanted = ender.outcomeOf(`${run.key.split('/')[0]}/${run.job}`);
  return run.phase === wanted ? undefined : `${run.phase} (${run.reason}), and its Job ended as ${wanted}`;
}

/** The last word is the result, and nothing else came after it was first said. */
function wrongStatuses({ hook }: Push, { phase }: SeenRun, statuses: readonly CommitStatus[]): string | undefined {
  const states = statuses.map(({ state }) => state);
  const context = `kube-git/${hook.namespace}/${hook.name}`;
  if (statuses.some((status) => status.context !== context)) return `contexts ${statuses.map((one) => one.context)}`;
  return wrongOrder(states, 'pending', phase === 'Succeeded' ? 'success' : 'failure');
}

function wrongMessages({ phase }: SeenRun, titles: readonly string[]): string | undefined {
  return wrongOrder(titles, 'Started', phase);
}

/** Right is: the first word any number of times, then the last word at least once. */
function wrongOrder(words: readonly string[], first: string, last: string): string | undefined {
  const all = words.join(', ') || 'none';
  if (words.at(-1) !== last) return `the last word is not ${last}: ${all}`;
  const end = words.indexOf(last);
  const isRight = words.every((word, at) => word === (at < end ? first : last));
  return isRight ? undefined : `not ${first} and then ${last}: ${all}`;
}

function toldOf({ forge }: Evidence['world']): Told {
  return {
    forge: Map.groupBy(forge.statuses, ({ sha }) => sha),
    slack: new Map(
      [...Map.groupBy(forge.messages, ({ body }) => commitIn(body))].map(([commit, messages]) => [
        commit,
        messages.map(({ body }) => wordIn(body)),
      ]),
    ),
  };
}

function commitIn(body: unknown): string {
  return /"value":"`([0-9a-f]{40})`"/.exec(JSON.stringify(body))?.[1] ?? '';
}

/** Of a title such as "Job Succeeded :white_check_mark:". */
function wordIn(body: unknown): string {
  const { title } = (body as { attachments: readonly { title: string }[] }).attachments[0] ?? { title: '' };
  return ['Succeeded', 'Failed', 'Started'].find((word) => title.includes(word)) ?? title;
}
