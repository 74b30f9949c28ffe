// The steps of a push, told from what passed the proxies before the API server and before git. Called by bench/groups/push.ts; pure.
import type { LogEntry } from '../../test/env/proxy.ts';

export interface Span {
  readonly name: string;
  readonly ms: number;
}

type Seen = Pick<LogEntry, 'at' | 'answeredAt' | 'method' | 'path' | 'body'>;

/** One after another without a gap, from the sending of the delivery (by performance.now()) until the Job is created. */
export function spans(push: {
  readonly from: number;
  readonly api: readonly Seen[];
  readonly git: readonly Seen[];
}): readonly Span[] {
  const api = push.api.filter(({ at }) => at >= push.from);
  const git = push.git.filter(({ at }) => at >= push.from);
  const recorded = first(api, ({ method, path }) => method === 'POST' && path.endsWith('/githookruns'));
  const { metadata } = JSON.parse(recorded.body) as { metadata: { name: string } };
  const written = first(api, ({ method, path }) => method === 'PUT' && path.endsWith(`/${metadata.name}/status`));
  const created = first(api, ({ method, path }) => method === 'POST' && path.endsWith('/jobs'));
  const fetching = git.filter(({ at }) => at < written.at);
  const asked = first(fetching, () => true);
  const marks: readonly (readonly [name: string, until: number])[] = [
    ['read the delivery, check its signature, find its GitHooks', recorded.at],
    ['store the run', endOf(recorded)],
    ['the leader hears of it, reads it, begins', asked.at],
    ['fetch the manifest', Math.max(...fetching.map(endOf))],
    ['parse it, check it, make the Job ready', written.at],
    ['write Creating', endOf(written)],
    ['hand on', created.at],
    ['create the Job', endOf(created)],
  ];
  return marks.map(([name, until], index) => ({ name, ms: until - (marks[index - 1]?.[1] ?? push.from) }));
}

function first(entries: readonly Seen[], fits: (entry: Seen) => boolean): Seen {
  const found = entries.find(fits);
  if (found === undefined) throw new Error('a step of the push was not seen');
  return found;
}

function endOf({ at, answeredAt }: Seen): number {
  return answeredAt ?? at;
}
