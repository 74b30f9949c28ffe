// The words for what was seen: pure, one observation in, its lines out. Called by the narrator.
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { GitFetch } from '../../test/env/forge/git-front.ts';
import { isZero } from '../../test/env/forge/payload.ts';
import type { CommitStatus } from '../../test/env/forge/statuses.ts';
import type { DeliveryRecord } from '../../test/env/forge/webhooks.ts';
import type { SlackMessage } from '../../test/env/forge.ts';
import type { ReceivedPush } from '../../test/env/git-server.ts';
import type { Observation } from './observation.ts';
import type { Step } from './story.ts';
import type { Line } from './timeline.ts';

export interface Telling extends Omit<Line, 'elapsedMs'> {
  readonly step?: Step;
  /** Told only once for each push: objects are seen again and again. */
  readonly once?: string;
}

export function describe(observation: Observation): readonly Telling[] {
  switch (observation.kind) {
    case 'push':
      return [pushed(observation.push)];
    case 'delivery':
      return [delivered(observation.delivery)];
    case 'fetch':
      return [fetched(observation.fetch)];
    case 'run':
      return runSeen(observation.run);
    case 'job': {
      const { name } = observation.job.metadata;
      return [{ what: 'Job created', detail: name, mood: 'neutral', step: 'Job created', once: `job ${name}` }];
    }
    case 'log': {
      const { name } = observation.pod.metadata;
      return [{ what: 'pod log', detail: `${name}: ${observation.text}`, mood: 'quiet', step: 'pod log' }];
    }
    case 'status':
      return [statusSet(observation.status)];
    case 'message':
      return [messageSent(observation.message)];
  }
}

function pushed({ ref, before, after }: ReceivedPush): Telling {
  const was = isZero(before) ? 'was not there' : `was ${before.slice(0, 12)}`;
  const detail = `${short(ref)} is now ${isZero(after) ? 'deleted' : after.slice(0, 12)}, ${was}`;
  return { what: 'push', detail, mood: 'neutral', step: 'push received by the forge' };
}

function delivered({ event, answer, error, redelivery }: DeliveryRecord): Telling {
  const what = event === 'push' ? 'delivery answered' : `${event} answered`;
  if (!answer) return { what, detail: `no answer: ${error}`, mood: 'bad' };
  const { words, runs } = readAnswer(answer.body);
  const detail = `${answer.status}  ${words}${redelivery ? ' (delivered again)' : ''}`;
  const mood = answer.status < 300 ? 'neutral' : 'bad';
  const step = answer.status === 202 && runs > 0 ? { step: 'delivery answered with 202' as const } : {};
  return { what, detail, mood, ...step };
}

/** kube-git answers in JSON; whatever else answers is shown as it is, as far as a line goes. */
function readAnswer(body: string): { readonly words: string; readonly runs: number } {
  try {
    const {
      reason = '',
      message = '',
      runs = [],
    } = JSON.parse(body) as Readonly<Record<string, string>> & {
      readonly runs?: readonly string[];
    };
    return { words: [reason, message, ...runs].filter((word) => word !== '').join('  '), runs: runs.length };
  } catch {
    const limit = 160; // characters
    return { words: body.slice(0, limit), runs: 0 };
  }
}

function fetched({ filter, depth, wants }: GitFetch): Telling {
  const how = filter || depth === undefined ? 'that one file' : 'with all files of the commit';
  const detail = `${how}, git object ${wants[0]?.slice(0, 12)}`;
  return { what: 'manifest fetched', detail, mood: 'neutral', step: 'manifest fetched', once: 'manifest' };
}

function runSeen({ metadata, status }: GitHookRun): readonly Telling[] {
  const { phase, reason = '', message = '' } = status ?? {};
  const lines: Telling[] = [
    { what: 'run recorded', detail: metadata.name ?? '', mood: 'neutral', step: 'run recorded', once: 'run' },
  ];
  if (phase) lines.push(phaseSeen(phase, reason, message));
  for (const { type, name, lastError } of status?.sinks ?? []) {
    if (lastError)
      lines.push({ what: 'not told yet', detail: `${type} ${name}: ${lastError}`, mood: 'bad', once: lastError });
  }
  return lines;
}

function phaseSeen(phase: string, reason: string, message: string): Telling {
  const detail = [phase, reason === phase ? '' : reason, message].filter((word) => word !== '').join(': ');
  const once = `phase ${phase} ${reason}`;
  if (phase === 'Succeeded') return { what: 'run', detail, mood: 'good', once, step: 'run ended as Succeeded' };
  if (phase === 'Failed') return { what: 'run', detail, mood: 'bad', once, step: 'run ended as Failed' };
  return { what: 'run', detail, mood: 'neutral', once };
}

function statusSet({ state, context, description }: CommitStatus): Telling {
  const detail = [state, context, description ?? ''].filter((word) => word !== '').join('  ');
  const mood = { pending: 'neutral', success: 'good', failure: 'bad', error: 'bad' } as const;
  const what = 'commit status';
  return { what, detail, mood: mood[state], ...(state !== 'error' && { step: `commit status ${state}` }) };
}

/** What Slack's attachments hold that is of use here. */
interface Attachment {
  readonly color?: string;
  readonly title?: string;
  readonly text?: string;
}

const colours = {
  warning: { word: 'started', mood: 'neutral' },
  good: { word: 'succeeded', mood: 'good' },
  danger: { word: 'failed', mood: 'bad' },
} as const;

function messageSent({ channel, body }: SlackMessage): Telling {
  const { attachments = [], text = '' } = body as {
    readonly attachments?: readonly Attachment[];
    readonly text?: string;
  };
  const { color = '', title = '', text: words = text } = attachments[0] ?? {};
  const told = Object.hasOwn(colours, color) ? colours[color as keyof typeof colours] : undefined;
  const detail = `#${channel}  ${title} ${words}`;
  return {
    what: 'Slack message',
    detail,
    mood: told?.mood ?? 'neutral',
    ...(told && { step: `Slack message ${told.word}` }),
  };
}

function short(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}
