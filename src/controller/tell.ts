// Tells one sink how one run stands, once a state, and writes down what it accepted. Each sink of a run has its own
// key in the queue, so that one that hangs holds up neither the run nor the others, and sends to it are one at a time.
import type { GitHookRun, GitHookRunStatusSink } from '../api/githookrun.ts';
import { formatKey, keyOf, type ObjectKey } from '../api/object.ts';
import { type Clock, formatTime } from '../clock.ts';
import { messageOf, TerminalError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Notifier, ReportState } from '../notifier/notifier.ts';
import { type ReportOptions, reportOf } from './report.ts';
import type { RunStore } from './run-store.ts';
import { accepted, failed, findSink, plan, type SinkKey, withSink } from './sinks.ts';

export interface TellContext {
  readonly runs: RunStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly options: ReportOptions;
  /** The entry of the notification file as it is now; throws TerminalError where there is none. */
  notifier(sink: SinkKey): Notifier;
  /** Whether a newer run of the same GitHook and commit has a word for this sink, which it would overwrite. */
  superseded(run: GitHookRun, sink: SinkKey): boolean;
  /** Whether a refusal may be outdated, because the entry has changed since or kube-git has started anew. Asked once a change. */
  mayAskAgain(key: string): boolean;
}

/** The queue key of a sink of a run. Neither a type nor an object's name holds a space. */
export function tellKey(run: ObjectKey, sink: SinkKey): string {
  return `${run.namespace}/${run.name} ${sink.type} ${sink.name}`;
}

function parseTellKey(key: string): { run: string; sink: SinkKey } {
  const [run = '', type = '', ...name] = key.split(' ');
  return { run, sink: { type, name: name.join(' ') } };
}

/** Says what is due. Returns after how many milliseconds to come back; undefined when there is nothing to wait for. */
export async function tell(key: string, context: TellContext, signal: AbortSignal): Promise<number | undefined> {
  const { run: runKey, sink: sinkKey } = parseTellKey(key);
  const run = await context.runs.read(runKey, signal);
  const sink = run && findSink(run, sinkKey);
  if (run === undefined || sink === undefined) return undefined;
  const next = plan(sink, context.clock.now(), context.mayAskAgain(key));
  if (next.kind !== 'send') return next.kind === 'wait' ? next.ms : undefined;
  if (context.superseded(run, sinkKey))
    return record(run, (now) => ({ ...now, desired: 'Superseded' }), sinkKey, context, signal);
  const outcome = await send(run, sinkKey, next.state, context, signal);
  return record(run, (now) => outcome(now, sink), sinkKey, context, signal);
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
    await context.notifier(sink).send(reportOf(run, state, context.options), signal);
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
  run: GitHookRun,
  change: (now: GitHookRunStatusSink) => GitHookRunStatusSink,
  key: SinkKey,
  context: TellContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  const edit = (live: GitHookRun) => {
    const sink = findSink(live, key);
    return sink && withSink(live, change(sink));
  };
  const written = await context.runs.update(formatKey(keyOf(run)), edit, signal);
  const sink = written && findSink(written, key);
  if (sink === undefined) return undefined;
  const next = plan(sink, context.clock.now(), false);
  if (next.kind === 'done') return undefined;
  return next.kind === 'wait' ? next.ms : 0;
}
