// Spine 2: what happens to a run, in order. Each reconcile reads the run as it is now and moves it as far as it can
// go; every outside effect is followed by a write that says so, and repeating any of them is harmless.
import { isCancelAsked } from '../api/by-hand.ts';
import type { GitHookRun } from '../api/githookrun.ts';
import { formatKey, type KubeObject, keyOf } from '../api/object.ts';
import { isEnded, type Standing } from '../api/phase.ts';
import { formatTime } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { ResourceKind } from '../resource/resource.ts';
import type { RunContext } from './run-context.ts';
import { cancel, nothingCreated, stoppedAndGone } from './steps/cancel.ts';
import { createChild, getChild, isControlledBy, isServerTrouble } from './steps/child.ts';
import { finish } from './steps/finish.ts';
import { lineOf, prepare } from './steps/prepare.ts';
import { stand } from './steps/stand.ts';
import { waitForTurn } from './steps/turn.ts';
import { unwanted } from './steps/unwanted.ts';

/** When to come back without being called: milliseconds, undefined for never. */
export type Again = number | undefined;

/** Moves a run as far as it can go now. Throws what is to be tried again with back-off. */
export async function reconcileRun(key: string, context: RunContext, signal: AbortSignal): Promise<Again> {
  const waitMs = waitForTurn(key, context);
  if (waitMs !== undefined) return waitMs;
  const run = await context.runs.read(key, signal);
  if (run === undefined || run.metadata.deletionTimestamp !== undefined) {
    context.looks.forget(key);
    return undefined;
  }
  if (isEnded(run)) {
    await finish(run, context, signal);
    return undefined;
  }
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
  if (isCancelAsked(run)) return end(run, nothingCreated, context, signal);
  return context.fetchTurns.take(lineOf(run), formatKey(keyOf(run)), () => create(run, context, signal));
}

/** A run that was about to create may have done so before a crash: then no manifest is needed again. */
async function adopt(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<{ again: Again } | undefined> {
  const { resource } = run.status ?? {};
  if (resource === undefined) return undefined;
  const kind = context.kind(resource.apiVersion, resource.kind);
  const child = await getChild(context.kube, kind, run, signal);
  if (child === undefined || !isControlledBy(child, run)) return undefined;
  return { again: await record(run, { kind, child }, context, signal) };
}

/** Fetch, parse, render, write Creating, create, record. */
async function create(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<Again> {
  const { kind, wanted } = await prepare(run, context, signal);
  const name = wanted.metadata.name ?? '';
  const resource = { apiVersion: kind.apiVersion, kind: kind.kind, name };
  const creating = await stand(
    run,
    { phase: 'Creating', reason: 'ManifestFetched', message: `creating ${kind.title} ${name}`, resource },
    context,
    signal,
  );
  try {
    const owner = { kube: context.kube, acting: context.actingFor(run), kind, run };
    const child = await createChild(wanted, owner, signal);
    return await record(creating, { kind, child }, context, signal);
  } catch (error) {
    if (error instanceof TerminalError)
      return end(creating, { phase: 'Failed', reason: error.reason, message: error.message }, context, signal);
    if (isServerTrouble(error)) {
      const message = `The API server could not create ${kind.title} ${name}: ${error.message}. It is tried again.`;
      await stand(creating, { phase: 'Creating', reason: 'CreateFailed', message }, context, signal);
    }
    throw error;
  }
}

/** The resource is there: its UID is written down, and from now on the run follows it. */
async function record(
  run: GitHookRun,
  { kind, child }: { readonly kind: ResourceKind; readonly child: KubeObject },
  context: RunContext,
  signal: AbortSignal,
): Promise<Again> {
  const { name = '', uid = '', creationTimestamp } = child.metadata;
  const resource = { apiVersion: kind.apiVersion, kind: kind.kind, name, uid };
  const { phase, reason, message } = kind.observe(child);
  const startTime = creationTimestamp ?? formatTime(context.clock.now());
  const recorded = await stand(run, { phase: 'Running', reason, message, resource, startTime }, context, signal);
  context.announce.created(recorded, kind);
  const isAsExpected = phase === 'Running' && !isCancelAsked(recorded);
  return isAsExpected ? context.looks.againMs(recorded) : follow(recorded, context, signal, child);
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
  const isToStop = isCancelAsked(run);
  if (mine === undefined || seen === undefined || (mine !== child && seen.phase === 'Running')) {
    if (isToStop) return end(run, stoppedAndGone(kind, name ?? ''), context, signal);
    const message = `The ${kind.title} ${name} was deleted before it ended. It is not created again; push again for a new run.`;
    return end(run, { phase: 'Failed', reason: 'ResourceDeleted', message }, context, signal);
  }
  const standing = isToStop
    ? await cancel(run, { kind, child: mine }, context, signal)
    : await context.explain(run, seen, signal);
  if (standing.phase !== 'Running') return end(run, standing, context, signal);
  await stand(run, standing, context, signal);
  // Nothing calls for a resource that the watch does not show, such as one that has lost its label.
  const isCalledFor = seen.waitingPods === undefined && watched !== undefined && !isToStop;
  if (!isCalledFor) return context.looks.againMs(run);
  context.looks.forget(formatKey(keyOf(run)));
  return undefined;
}

async function end(run: GitHookRun, standing: Standing, context: RunContext, signal: AbortSignal): Promise<Again> {
  const ended = await stand(run, standing, context, signal);
  context.looks.forget(formatKey(keyOf(run)));
  context.announce.ended(ended);
  await finish(ended, context, signal);
  return undefined;
}
