// The demo from beginning to end, in the order in which one reads it. Called by main.ts, which ends it.
import { report } from './failure.ts';
import { lookFurther } from './further.ts';
import { type DemoOptions, readExample, type Stage, setUp } from './set-up.ts';
import type { Outcome } from './story.ts';
import { formatHeading } from './timeline.ts';
import { untilAborted } from './until-aborted.ts';

/** How long nothing new may happen after a push: pulling an image into a cluster far away takes the longest. */
const deadlineMs = 120_000;

/** Ctrl-C, kill, or the terminal is gone: the reason of the demo's signal then. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/**
 * Resolves after both pushes with --once, else when it is interrupted after them. Rejects with what did not happen, or
 * with the signal's reason.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { style, write, signal } = options;
  write('A push becomes a Job in Kubernetes: kube-git, with a cluster, a forge and a chat channel of its own.');
  write(formatHeading('Setting up', style));
  const stage = await setUp(options);
  try {
    await watchPush(stage, options, succeeding);
    await watchPush(stage, options, failing);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(await report(error, stage), { cause: error });
  }
  if (options.once) return write(formatHeading('All of it happened.', style));
  write(formatHeading('Look further', style));
  for (const line of await lookFurther(stage)) write(line);
  await Promise.race([untilAborted(signal), stage.kubeGit.ended]).catch((error: unknown) => {
    if (!(error instanceof Interrupted)) throw error;
  });
}

interface Push {
  readonly heading: string;
  readonly example: string;
  readonly message: string;
  readonly outcome: Outcome;
}

const succeeding: Push = {
  heading: 'First push: a Job that succeeds',
  example: 'job.yaml',
  message: 'Greet from Kubernetes',
  outcome: 'Succeeded',
};
const failing: Push = {
  heading: 'Second push: a Job that fails',
  example: 'failing-job.yaml',
  message: 'Break the tests',
  outcome: 'Failed',
};

/** Commits, pushes with git, and waits until everything that follows from it was seen. */
async function watchPush(stage: Stage, { style, write, signal }: DemoOptions, push: Push): Promise<void> {
  const { workingCopy, narrator, kubeGit } = stage;
  write(formatHeading(push.heading, style));
  const text = await readExample(push.example);
  const commit = await workingCopy.commit({ path: 'job.yaml', text, message: push.message });
  narrator.knowManifest(commit.fileId, commit.id);
  await workingCopy.push();
  await Promise.race([narrator.until(commit.id, push.outcome, { deadlineMs, signal }), kubeGit.ended]);
}
