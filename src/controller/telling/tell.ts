// Tells one sink how one run stands, once a state, and writes down what it accepted. Each sink of a run has its own
// key in the queue, so that one that hangs holds up neither the run nor the others, and sends to it are one at a time.
import type { GitHookRun, GitHookRunStatusSink } from '../../api/githookrun.ts';
import { gitHookKey } from '../../api/keys.ts';
import { wordOf } from '../../api/phase.ts';
import { type Clock, formatTime } from '../../clock.ts';
import { messageOf, TerminalError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { Notifier, ReportState } from '../../notifier/notifier.ts';
import type { LimitedTurns } from '../limited-turns.ts';
import type { RunStore } from '../run-store.ts';
import type { Turns } from '../turns.ts';
import type { OutdatedSinks } from './outdated-sinks.ts';
import { type ReportOptions, reportOf } from './report.ts';
import { accepted, failed, findSink, plan, type SinkKey, spokenOver, withSink } from './sinks.ts';

export interface TellContext {
  /** Live runs and deleted ones, by their keys. */
  readonly runs: Pick<RunStore, 'read' | 'update'>;
  readonly turns: Turns;
  readonly entryTurns: LimitedTurns;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly options: ReportOptions;
  /** The entry of the notification file as it is now; throws TerminalError where there is none, or where it is not this run's to use. */
  notifier(sink: SinkKey, run: GitHookRun): Notifier;
  /** Whether a newer run of the same GitHook and commit has a word for this sink, which it would overwrite. */
  superseded(run: GitHookRun, sink: SinkKey): boolean;
  /** What may be outdated of the last attempt. */
  readonly outdated: OutdatedSinks;
  /** Keys of sinks that a deleted run has had the word of: what they were told before does not count. */
  readonly spokenOver: Set<string>;
}

/** The queue key of a sink of the run with this key. Neither a type nor an object's name holds a space. */
export function tellKey(runKey: string, sink: SinkKey): string {
  return `${runKey} ${sink.type} ${sink.name}`;
}

function parseTellKey(key: string): { run: string; sink: SinkKey } {
  const [run = '', type = '', ...name] = key.split(' ');
  return { run, sink: { type, name: name.join(' ') } };
}

/** Says what is due. Returns after how many milliseconds to come back; undefined when there is nothing to wait for. */
export async function tell(key: string, context: TellContext, signal: AbortSignal): Promise<number | undefined> {
  const { run: runKey, sink } = parseTellKey(key);
  const run = await context.runs.read(runKey, signal);
  if (run === undefined || !isDue(run, key, context)) return undefined;
  return context.entryTurns.take({ server: `${sink.type} ${sink.name}`, lane: gitHookKey(run) }, key, () =>
    context.turns.take(turnKey(run, sink), () => tellNow(key, context, signal)),
  );
}

/** Whether there may be something to say: who has nothing to say must not stand in the way of others. */
function isDue(run: GitHookRun, key: string, { spokenOver: spoken, clock, outdated }: TellContext): boolean {
  const sink = findSink(run, parseTellKey(key).sink);
  if (sink === undefined) return false;
  return spoken.has(key) || plan(sink, clock.now(), outdated.look(key)).kind !== 'done';
}

/** Runs of one GitHook and commit speak in turn: what one says must not arrive after what a newer one says. */
function turnKey(run: GitHookRun, sink: SinkKey): string {
  return `${run.spec.gitHookRef.uid} ${run.spec.commit} ${sink.type} ${sink.name}`;
}

async function tellNow(key: string, context: TellContext, signal: AbortSignal): Promise<number | undefined> {
  const { run: runKey, sink: sinkKey } = parseTellKey(key);
  if (context.spokenOver.has(key)) await giveWord(key, context, signal);
  const run = await context.runs.read(runKey, signal);
  const sink = run && findSink(run, sinkKey);
  if (run === undefined || sink === undefined) return undefined;
  const outdated = context.outdated.take(key);
  const next = plan(sink, context.clock.now(), outdated);
  if (next.kind !== 'send') return next.kind === 'wait' ? next.ms : undefined;
  try {
    if (context.superseded(run, sinkKey))
      return await record(key, (now) => ({ ...now, desired: 'Superseded' }), context, signal);
    const outcome = await send(run, sinkKey, next.state, context, signal);
    return await record(key, (now) => outcome(now, sink), context, signal);
  } catch (error) {
    context.outdated.putBack(key, outdated);
    throw error;
  }
}

/** Writes down that the sink has to be told anew. */
async function giveWord(key: string, context: TellContext, signal: AbortSignal): Promise<void> {
  const { run: runKey, sink: sinkKey } = parseTellKey(key);
  const edit = (live: GitHookRun) => {
    const sink = findSink(live, sinkKey);
    return sink && withSink(live, spokenOver(sink, wordOf(live)));
  };
  await context.runs.update(runKey, edit, signal);
  context.spokenOver.delete(key);
}

type Outcome = (now: GitHookRunStatusSink, before: GitHookRunStatusSink) => GitHookRunStatusSink;

async function send(
  run: GitHookRun,
  sink: SinkKey,
  state: ReportState,
  context: TellContext,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, log, metrics } = context;
  try {
    await context.notifier(sink, run).send(reportOf(run, state, context.options), signal);
    metrics.notifications.inc({ type: sink.type, result: 'accepted' });
    return (now, before) => accepted(now, state, before, formatTime(clock.now()));
  } catch (error) {
    if (signal.aborted) throw error;
    const result = error instanceof TerminalError ? 'refused' : 'failed';
    metrics.notifications.inc({ type: sink.type, result });
    log.warn(
      {
        run: `${run.metadata.namespace}/${run.metadata.name}`,
        sink: `${sink.type}/${sink.name}`,
        state,
        error: messageOf(error),
      },
      'sink not told',
    );
    return (now, before) => (now.desired === before.desired ? failed(now, error, clock.now()) : now);
  }
}

/** Writes the sink as changed; then looks again, because the run may have gone on meanwhile. */
async function record(
  key: string,
  change: (now: GitHookRunStatusSink) => GitHookRunStatusSink,
  context: TellContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { run: runKey, sink: sinkKey } = parseTellKey(key);
  const edit = (live: GitHookRun) => {
    const sink = findSink(live, sinkKey);
    return sink && withSink(live, change(sink));
  };
  const written = await context.runs.update(runKey, edit, signal);
  const sink = written && findSink(written, sinkKey);
  if (sink === undefined) return undefined;
  const next = plan(sink, context.clock.now(), 'nothing');
  if (next.kind === 'done') return undefined;
  return next.kind === 'wait' ? next.ms : 0;
}
