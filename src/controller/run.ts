// Spine 2: what happens to a run, in order. Each reconcile reads the run as it is now and moves it as far as it can
// go; every outside effect is followed by a write that says so, and repeating any of them is harmless.
import type { GitHookRun } from '../api/githookrun.ts';
import type { KubeObject } from '../api/object.ts';
import { isEnded, type Standing, says, withStanding } from '../api/phase.ts';
import { formatTime } from '../clock.ts';
import { TerminalError, WaitingError } from '../errors.ts';
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
  return adopted ? adopted.again : create(run, context, signal);
}

/** A run that was about to create may have done so before a crash: then no manifest is needed again. */
async function adopt(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<{ again: Again } | undefined> {
  const { resource } = run.status ?? {};
  if (resource === undefined) return undefined;
  const kind = context.kind(resource.apiVersion, resource.kind);
  const child = await getChild(context.actingFor(run), kind, run, signal);
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
    const child = await createChild(context.actingFor(run), kind, wanted, run, signal);
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
    if (!(error instanceof WaitingError)) throw error;
    const waitedMs = context.clock.now() - Date.parse(run.metadata.creationTimestamp ?? run.spec.receivedTime);
    if (waitedMs > fetchLimitMs) {
      throw new TerminalError('FetchTimeout', `Gave up fetching ${path} after an hour: ${error.message}`, {
        cause: error,
      });
    }
    await write(
      run,
      { phase: 'Pending', reason: error.reason, message: `${error.message} It is tried again.` },
      context,
      signal,
    );
    throw error;
  }
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
  const child = fresh ?? context.children.get(run) ?? (await getChild(context.actingFor(run), kind, run, signal));
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
  return seen.waitingPods === undefined ? undefined : context.lookAgainMs(run);
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
  const kind = context.kind(resource.apiVersion, resource.kind);
  const kube = context.actingFor(run);
  const child = context.children.get(run) ?? (await getChild(kube, kind, run, signal));
  const refused = child?.metadata.uid === resource.uid && child ? await handBack(kube, kind, child, signal) : undefined;
  if (refused)
    context.log.warn(
      { run: run.metadata.name, namespace: run.metadata.namespace, refused },
      'resource keeps the clean-up time of kube-git',
    );
  await context.runs.write(run, (newest) => ({ ...newest.status, handedBack: true }), signal);
  return undefined;
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
