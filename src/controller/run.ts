// Spine 2: what happens to a run, in order. Each reconcile reads the run as it is now and moves it as far as it can
// go; every outside effect is followed by a write that says so, and repeating any of them is harmless.
import type { GitHookRun, GitHookRunStatusResource } from '../api/githookrun.ts';
import { formatKey, type KubeObject, keyOf } from '../api/object.ts';
import { isEnded, type Standing, says, withStanding } from '../api/phase.ts';
import { canonicalRepository } from '../api/repository.ts';
import { formatTime } from '../clock.ts';
import { messageOf, TerminalError, WaitingError } from '../errors.ts';
import type { ResourceKind } from '../resource/resource.ts';
import { createChild, getChild, handBack, isControlledBy } from './child.ts';
import { readCredentials } from './credentials.ts';
import type { RunContext } from './run-context.ts';
import { unwanted } from './unwanted.ts';

/** How long a manifest is tried to be fetched before the run fails: an outage of an hour is somebody's to look at. */
const fetchLimitMs = 60 * 60 * 1000;

/** When to come back without being called: milliseconds, undefined for never. */
export type Again = number | undefined;

/** Moves a run as far as it can go now. Throws what is to be tried again with back-off. */
export async function reconcileRun(key: string, context: RunContext, signal: AbortSignal): Promise<Again> {
  const run = await context.runs.read(key, signal);
  if (run === undefined || run.metadata.deletionTimestamp !== undefined) return undefined;
  if (isEnded(run)) return finish(run, context, signal);
  try {
    return await advance(run, context, signal);
  } catch (error) {
    if (error instanceof TerminalError)
      return end(run, { phase: 'Failed', reason: error.reason, message: error.message }, context, signal);
    throw error;
  }
}

async function advance(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<Again> {
  if (run.status?.phase === undefined) {
    const skip = await unwanted(run, context, signal);
    if (skip) return end(run, { phase: 'Skipped', ...skip }, context, signal);
  }
  if (run.status?.resource?.uid !== undefined) return follow(run, context, signal);
  const adopted = await adopt(run, context, signal);
  if (adopted) return adopted.again;
  const host = serverOf(run.spec.repository);
  return context.fetchTurns.take(host, formatKey(keyOf(run)), () => create(run, context, signal));
}

/** The server as far as it can be told: with its port in a URL, by its name in git@host:path. */
function serverOf(repository: string): string {
  return URL.parse(repository)?.host || (canonicalRepository(repository)?.split('/', 1)[0] ?? '');
}

/** A run that was about to create may have done so before a crash: then no manifest is needed again. */
async function adopt(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<{ again: Again } | undefined> {
  const { resource } = run.status ?? {};
  if (resource === undefined) return undefined;
  const kind = context.kind(resource.apiVersion, resource.kind);
  const child = await getChild(context.kube, kind, run, signal);
  if (child === undefined || !isControlledBy(child, run)) return undefined;
  return { again: await recordChild(run, kind, child, context, signal) };
}

/** Fetch, parse, render, write Creating, create, record. */
async function create(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<Again> {
  const { kind, wanted } = await prepare(run, context, signal);
  const name = wanted.metadata.name ?? '';
  const resource = { apiVersion: kind.apiVersion, kind: kind.kind, name };
  const creating = await write(
    run,
    { phase: 'Creating', reason: 'ManifestFetched', message: `creating ${kind.title} ${name}`, resource },
    context,
    signal,
  );
  try {
    const accounts = { kube: context.kube, acting: context.actingFor(run) };
    const child = await createChild(accounts, kind, wanted, run, signal);
    return await recordChild(creating, kind, child, context, signal);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return end(creating, { phase: 'Failed', reason: error.reason, message: error.message }, context, signal);
  }
}

/** The manifest at the commit, made ready for this run. What may work later is shown on the run while it is tried again. */
async function prepare(
  run: GitHookRun,
  context: RunContext,
  signal: AbortSignal,
): Promise<{ kind: ResourceKind; wanted: KubeObject }> {
  const { repository: url, commit, ref, manifest: path } = run.spec;
  try {
    const credentials = await readCredentials(run, context.actingFor(run), signal);
    const text = await context.manifests.read({ url, commit, ref, path }, credentials, signal);
    return context.parse(text, run);
  } catch (error) {
    if (error instanceof TerminalError || signal.aborted) throw error;
    await writeTrouble(run, error, context, signal);
    throw error;
  }
}

/** Shows why the manifest is not there yet. Throws TerminalError FetchTimeout when it has been so for too long. */
async function writeTrouble(run: GitHookRun, error: unknown, context: RunContext, signal: AbortSignal): Promise<void> {
  const path = run.spec.manifest;
  const { reason, message } =
    error instanceof WaitingError
      ? error
      : new WaitingError('FetchFailed', `kube-git could not fetch ${path}: ${messageOf(error)}.`);
  if (context.clock.now() - triedSince(run, context) > fetchLimitMs) {
    throw new TerminalError('FetchTimeout', `Gave up fetching ${path} after an hour: ${message}`, { cause: error });
  }
  // A run that was about to create stays so: the name it has written down is what a crash is recovered by.
  const phase = run.status?.phase === 'Creating' ? 'Creating' : 'Pending';
  await write(run, { phase, reason, message: `${message} It is tried again.` }, context, signal);
}

/** When the run said its first word, which the first failure is; not when it was made, because kube-git may have been away since. */
function triedSince(run: GitHookRun, context: RunContext): number {
  const began = run.status?.conditions?.find(({ type, status }) => type === 'Succeeded' && status === 'Unknown');
  return began === undefined ? context.clock.now() : Date.parse(began.lastTransitionTime);
}

async function recordChild(
  run: GitHookRun,
  kind: ResourceKind,
  child: KubeObject,
  context: RunContext,
  signal: AbortSignal,
): Promise<Again> {
  const { name = '', uid = '', creationTimestamp } = child.metadata;
  const resource = { apiVersion: kind.apiVersion, kind: kind.kind, name, uid };
  const { phase, reason, message } = kind.observe(child);
  const startTime = creationTimestamp ?? formatTime(context.clock.now());
  const recorded = await write(run, { phase: 'Running', reason, message, resource, startTime }, context, signal);
  context.announce.created(recorded, kind);
  return phase === 'Running' ? context.lookAgainMs(recorded) : follow(recorded, context, signal, child);
}

/** Observe: what the live resource says becomes what the run says. */
async function follow(run: GitHookRun, context: RunContext, signal: AbortSignal, fresh?: KubeObject): Promise<Again> {
  const { apiVersion = '', kind: kindName = '', name, uid } = run.status?.resource ?? {};
  const kind = context.kind(apiVersion, kindName);
  const watched = context.children.get(run);
  const child = fresh ?? watched ?? (await getChild(context.kube, kind, run, signal));
  const mine =
    child !== undefined && child.metadata.uid === uid && isControlledBy(child, run)
      ? child
      : context.children.lastSeen(run);
  const seen = mine && kind.observe(mine);
  if (mine === undefined || seen === undefined || (mine !== child && seen.phase === 'Running')) {
    const message = `The ${kind.title} ${name} was deleted before it ended. It is not created again; push again for a new run.`;
    return end(run, { phase: 'Failed', reason: 'ResourceDeleted', message }, context, signal);
  }
  const standing = await context.explain(run, seen, signal);
  if (standing.phase !== 'Running') return end(run, standing, context, signal);
  await write(run, standing, context, signal);
  // Nothing calls for a resource that the watch does not show, such as one that has lost its label.
  return seen.waitingPods === undefined && watched !== undefined ? undefined : context.lookAgainMs(run);
}

async function end(run: GitHookRun, standing: Standing, context: RunContext, signal: AbortSignal): Promise<Again> {
  const ended = await write(run, standing, context, signal);
  context.announce.ended(ended);
  return finish(ended, context, signal);
}

/** After the outcome is recorded the resource gets its own clean-up time back. */
async function finish(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<Again> {
  const { resource, handedBack } = run.status ?? {};
  if (resource?.uid === undefined || handedBack) return undefined;
  const refused = await giveBack(run, resource, context, signal);
  if (refused)
    context.log.warn(
      { run: run.metadata.name, namespace: run.metadata.namespace, refused },
      'resource keeps the clean-up time of kube-git',
    );
  await context.runs.write(run, (newest) => ({ ...newest.status, handedBack: true }), signal);
  return undefined;
}

/** Why it cannot be given back; undefined where it was, or where the resource is gone. */
async function giveBack(
  run: GitHookRun,
  { apiVersion, kind: kindName, uid }: GitHookRunStatusResource,
  context: RunContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const kind = context.kind(apiVersion, kindName);
    const child = context.children.get(run) ?? (await getChild(context.kube, kind, run, signal));
    if (child === undefined || child.metadata.uid !== uid) return undefined;
    return await handBack(context.actingFor(run), kind, child, signal);
  } catch (error) {
    // Such as a kind that only a newer kube-git knows: the outcome stands, and no attempt will go better.
    if (error instanceof TerminalError) return error.message;
    throw error;
  }
}

/** Writes the standing unless the run says so already. */
async function write(
  run: GitHookRun,
  standing: Standing,
  context: RunContext,
  signal: AbortSignal,
): Promise<GitHookRun> {
  if (says(run.status, standing)) return run;
  const now = formatTime(context.clock.now());
  return context.runs.write(run, (newest) => withStanding(newest, standing, now), signal);
}
