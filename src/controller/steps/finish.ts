// The last step of spine 2.
import type { GitHookRun, GitHookRunStatusResource } from '../../api/githookrun.ts';
import { TerminalError } from '../../errors.ts';
import type { RunContext } from '../run-context.ts';
import { getChild, handBack } from './child.ts';

/** After the outcome is recorded the resource gets its own clean-up time back. */
export async function finish(run: GitHookRun, context: RunContext, signal: AbortSignal): Promise<void> {
  const { resource, handedBack } = run.status ?? {};
  if (resource?.uid === undefined || handedBack) return;
  const refused = await giveBack(run, resource, context, signal);
  if (refused)
    context.log.warn(
      { run: run.metadata.name, namespace: run.metadata.namespace, refused },
      'resource keeps the clean-up time of kube-git',
    );
  await context.runs.write(run, (newest) => ({ ...newest.status, handedBack: true }), signal);
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
    return await handBack(context.actingFor(run).kube, kind, child, signal);
  } catch (error) {
    // Such as a kind that only a newer kube-git knows: the outcome stands, and no attempt will go better.
    if (error instanceof TerminalError) return error.message;
    throw error;
  }
}
