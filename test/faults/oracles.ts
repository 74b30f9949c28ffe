// The oracles S1 to S9: what must hold after every scenario, whatever happened in it. Each reads the evidence and returns
// what is wrong in words; nothing when all is well. `npm run faults` breaks each promise on purpose to see its oracle speak.
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { childrenEver, deliveriesOf, type Evidence, endOf, isTaken, knows } from './evidence.ts';
import { type Call, isWork } from './points.ts';

export type Oracle = 'S1' | 'S2' | 'S3' | 'S4' | 'S5' | 'S6' | 'S7' | 'S8' | 'S9';

type Judge = (evidence: Evidence) => readonly string[];

/** API calls for one run in one life of kube-git (the reference run needs 17), and one a minute for what is tried again. */
const callBudget = 20;
/** To read again, and to do again what was struck. */
const callsAfterFault = 3;
/** A look that was put off finds that there is nothing to do; one at the refs takes two requests. */
const lateReads = 4;
/** Connections that are kept for the next call. */
const spareDescriptors = 12;
/** A push that needs no Job: delivery, record, fetch, end. A quarter of a second, two on a machine that has ten times too much to do; a hanging git takes ten. */
export const neighbourLimitMs = 9_000;

export const oracles: Readonly<Record<Oracle, { readonly promise: string; readonly judge: Judge }>> = {
  S1: { promise: 'at most one run a push, one child a run, ever', judge: atMostOne },
  S2: { promise: 'what was answered 2xx comes to its right end', judge: noneLost },
  S3: { promise: 'recorded before it is answered', judge: durable },
  S4: { promise: 'told in order, the last word last', judge: ordered },
  S5: { promise: 'no secret where anybody can read', judge: secret },
  S6: { promise: 'created only where and as whom it may be', judge: confined },
  S7: { promise: 'at rest when all is done, few calls until then', judge: quiet },
  S8: { promise: 'no folders, processes, open files left', judge: clean },
  S9: { promise: 'others are not held up', judge: undisturbed },
};

/** What is wrong, as "S1: …". */
export function judge(evidence: Evidence): readonly string[] {
  return Object.entries(oracles).flatMap(([name, { judge: of }]) => of(evidence).map((what) => `${name}: ${what}`));
}

function atMostOne(evidence: Evidence): readonly string[] {
  const versions = evidence.runVersions.map(({ object }) => object);
  const pushes = Map.groupBy(versions, ({ spec }) => `${spec.gitHookRef.name} ${spec.ref} ${spec.after}`);
  const doubled = [...pushes].filter(([, of]) => new Set(of.map(({ metadata }) => metadata.uid)).size > 1);
  const many = evidence.runs.filter((run) => childrenEver(evidence, run).size > 1);
  const foreign = evidence.runs.filter(
    (run) => run.status?.resource?.uid !== undefined && !childrenEver(evidence, run).has(run.status.resource.uid),
  );
  return [
    ...doubled.map(([push]) => `more than one run of ${push}`),
    ...many.map((run) => `${childrenEver(evidence, run).size} children of ${run.metadata.name}`),
    ...foreign.map((run) => `${run.metadata.name} has taken ${run.status?.resource?.name}, which is not its child`),
  ];
}

function noneLost(evidence: Evidence): readonly string[] {
  const { runs, expected, inVain } = evidence;
  const taken = new Set(deliveriesOf(evidence).flatMap(({ id, call }) => (isTaken(call) ? [id] : [])));
  const lost = [...taken].filter((id) => !runs.some((run) => knows(run, id)));
  const wrong = runs.filter((run) => run.spec.gitHookRef.name === 'app' && endOf(run) !== expected);
  const childless = runs.filter(
    ({ status, ...run }) => status?.phase === 'Succeeded' && childrenEver(evidence, { ...run, status }).size !== 1,
  );
  return [
    ...inVain.map((what) => `waited in vain for ${what}`),
    ...lost.map((id) => `delivery ${id} was answered 2xx and has no run`),
    ...wrong.map((run) => `${run.metadata.name} ended ${endOf(run)} instead of ${expected}: ${run.status?.message}`),
    ...childless.map((run) => `${run.metadata.name} succeeded without a child`),
  ];
}

function durable(evidence: Evidence): readonly string[] {
  const recorded = evidence.calls.filter(
    ({ what, status }) => what === 'POST githookruns' && (status === 201 || status === 409),
  );
  const isRecorded = (run: GitHookRun, before: number): boolean =>
    recorded.some(
      ({ body, answeredAt = Number.POSITIVE_INFINITY }) =>
        answeredAt <= before && (JSON.parse(body) as GitHookRun).metadata.name === run.metadata.name,
    );
  return deliveriesOf(evidence)
    .filter(({ call }) => isTaken(call))
    .filter(({ id, call }) => !evidence.runs.some((run) => knows(run, id) && isRecorded(run, call.answeredAt ?? 0)))
    .map(({ id }) => `delivery ${id} was answered 2xx before its run was stored`);
}

const stateOf: Readonly<Record<string, string>> = { Succeeded: 'success', Failed: 'failure' };
const titleOf: Readonly<Record<string, RegExp>> = { Succeeded: /Succeeded/, Failed: /Failed|Could not start/ };
const rank = ['Pending', 'Creating', 'Running', 'end'];

function ordered({ statuses, messages, runs, runVersions }: Evidence): readonly string[] {
  const told = runs.filter(({ status }) => (status?.sinks ?? []).length > 0);
  return told.flatMap((run) => {
    const { phase = '', resource } = run.status ?? {};
    const states = statuses.filter(({ sha }) => sha === run.spec.commit).map(({ state }) => state);
    const wanted = resource?.uid === undefined ? 'error' : stateOf[phase];
    const titles = messages.map(({ body }) => titleIn(body));
    const went = runVersions.filter(({ object }) => object.metadata.uid === run.metadata.uid);
    const ranks = went.map(({ object }) => rankOf(object));
    return [
      ...(states.at(-1) === wanted ? [] : [`the forge was told ${states.join(', ')}, the run is ${phase}`]),
      ...(isInOrder(states) ? [] : [`the forge was told ${states.join(', ')}`]),
      ...(titleOf[phase]?.test(titles.at(-1) ?? '')
        ? []
        : [`Slack was told ${titles.join(', ')}, the run is ${phase}`]),
      ...(titles.slice(1).some((title, index) => /Started/.test(title) && !/Started/.test(titles[index] ?? ''))
        ? [`Slack was told ${titles.join(', ')}`]
        : []),
      ...(ranks.every((now, index) => now >= (ranks[index - 1] ?? 0)) ? [] : [`phases went back: ${ranks.join(' ')}`]),
    ];
  });
}

/** Repeats are allowed after a crash; nothing but repeats comes after the end. */
function isInOrder(states: readonly string[]): boolean {
  const changes = states.filter((state, index) => state !== states[index - 1]);
  return changes.length <= 1 || (changes.length === 2 && changes[0] === 'pending');
}

function titleIn(body: unknown): string {
  return (body as { attachments?: { title?: string }[] }).attachments?.[0]?.title ?? '';
}

function rankOf({ status }: GitHookRun): number {
  if (status?.phase === undefined) return 0;
  const at = rank.indexOf(status.phase);
  return at < 0 ? rank.length : at;
}

function secret({ texts, secrets }: Evidence): readonly string[] {
  return [...texts].flatMap(([where, text]) =>
    [...secrets].filter(([, word]) => text.includes(word)).map(([name]) => `${name} stands in ${where}`),
  );
}

const mayCreate = ['githookruns', 'jobs', 'events', 'configmaps'];

function confined({ calls, namespace, account }: Evidence): readonly string[] {
  return calls.flatMap(({ door, method, path, what, headers, body, status }) => {
    if (door !== 'api' || method !== 'POST' || status !== 201) return [];
    const [, plural = ''] = what.split(' ');
    if (/selfsubject|subjectaccess/.test(plural)) return [];
    const wrong: string[] = [];
    if (!path.includes(`/namespaces/${namespace}/`)) wrong.push(`${what} went to ${path}`);
    if (!mayCreate.includes(plural)) wrong.push(`${what} is not among ${mayCreate.join(', ')}`);
    if (plural !== 'jobs') return wrong;
    if (headers['impersonate-user'] !== `system:serviceaccount:${namespace}:${account}`) {
      wrong.push(`a Job was created as ${headers['impersonate-user'] ?? 'kube-git itself'}`);
    }
    return [...wrong, ...spoofed(JSON.parse(body) as KubeObject)];
  });
}

/** The reference manifest tries to set what only kube-git may. */
function spoofed({ metadata }: KubeObject): readonly string[] {
  const { labels, annotations, ownerReferences = [] } = metadata;
  const values = [...Object.values(labels ?? {}), ...Object.values(annotations ?? {})];
  return [
    ...(values.includes('spoofed') ? ['the manifest has set a reserved label or annotation'] : []),
    ...(ownerReferences.length === 1 && ownerReferences[0]?.controller ? [] : ['the Job has no owner, or another one']),
  ];
}

function quiet({ calls, quietFrom, lives, minutes, runs }: Evidence): readonly string[] {
  const late = calls.filter(({ at, what, door }) => at >= quietFrom && isWork(what) && door !== 'webhook');
  const isRead = ({ method, door }: Call): boolean => (method === 'GET' && door === 'api') || door === 'git';
  const names = runs.flatMap(({ metadata, status, spec }) =>
    spec.gitHookRef.name === 'app' ? [metadata.name ?? '', status?.resource?.name ?? metadata.name ?? ''] : [],
  );
  const about = calls.filter(
    ({ door, path, body, what }) =>
      door === 'api' && isWork(what) && names.some((name) => path.includes(name) || body.includes(`"${name}"`)),
  );
  const struck = calls.filter(
    ({ fault }) => fault?.kind === 'answer' || fault?.kind === 'drop' || fault?.kind === 'dropAnswer',
  );
  const limit = callBudget * lives + minutes + callsAfterFault * struck.length;
  return [
    ...(late.every(isRead) && late.length <= lateReads
      ? []
      : [`when all was done: ${counted(late.map(({ what }) => what))}`]),
    ...(about.length <= limit
      ? []
      : [`${about.length} calls for a run, not ${limit}: ${counted(about.map(({ what }) => what))}`]),
  ];
}

function counted(words: readonly string[]): string {
  return [...Map.groupBy(words, (word) => word)].map(([word, { length }]) => `${length} × ${word}`).join(', ');
}

function clean({ children, folders, descriptors }: Evidence): readonly string[] {
  const { before, after } = descriptors;
  return [
    ...children.map((line) => `a process is left: ${line}`),
    ...folders.map((folder) => `a folder is left: ${folder}`),
    ...(after <= before + spareDescriptors ? [] : [`${after} open files, ${before} before`]),
  ];
}

function undisturbed({ neighbourMs, calls }: Evidence): readonly string[] {
  if (neighbourMs <= neighbourLimitMs) return [];
  const from = calls.findLastIndex(({ what }) => what === 'delivery');
  const since = calls.slice(from).filter(({ what }) => isWork(what));
  const steps = since.map(({ at, what, status }) => `${Math.round(at - (calls[from]?.at ?? 0))} ms ${what} ${status}`);
  return [`the neighbour's push took ${Math.round(neighbourMs)} ms: ${steps.join(', ')}`];
}
