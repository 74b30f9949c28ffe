// What the fault proxy can do to a request, and small builders for the rules that say when.
// Tests use them with startProxy(); nothing here touches the network.
import type { IncomingHttpHeaders } from 'node:http';

/** A request as a rule sees it, before its body has been read. */
export interface ProxiedRequest {
  /** 1 for the first request this proxy ever saw. */
  readonly number: number;
  readonly method: string;
  /** Without the query, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** "n bytes" are bytes of the answer's body. What is not said here is passed on as it came. */
export type Fault =
  /** Sent on after so long; not at all when the client gave up meanwhile. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Sent on when the promise settles: order without sleeping. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Passed on as it came; `onLeft` is called when the whole answer has left. */
  | { readonly kind: 'passed'; readonly onLeft: () => void }
  /** The connection is reset and the target never hears of it. */
  | { readonly kind: 'drop' }
  /** The target does it and answers in full, even when the client gives up; then the connection is reset. */
  | { readonly kind: 'dropAnswer' }
  /** The target does it; its answer is passed on when the promise settles: others hear of it first. */
  | { readonly kind: 'holdAnswer'; readonly until: Promise<unknown> }
  /** Answered by the proxy; the target never hears of it. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** n bytes, then a proper end: a well-formed answer with half a body. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** The whole answer, n bytes at a time: characters and lines are split. */
  | { readonly kind: 'chunks'; readonly bytes: number }
  /** n bytes, then nothing; the connection stays open until the client closes it. */
  | { readonly kind: 'silence'; readonly afterBytes: number }
  /** n bytes, then the connection is reset. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** The whole answer, rewritten; its status and headers stay. */
  | { readonly kind: 'edit'; readonly body: (text: string) => string }
  /** Each line as it comes, replaced by none, one or more: watch events dropped, changed, repeated. */
  | { readonly kind: 'lines'; readonly line: (text: string) => readonly string[] };

/** Asked once a request, in the order the rules were added; the first fault counts. */
export type Rule = (request: ProxiedRequest) => Fault | undefined;

export interface Match {
  readonly method?: string;
  /** A string fits the whole path. */
  readonly path?: string | RegExp;
  readonly query?: Readonly<Record<string, string>>;
}

/** The fault for the first n requests asked about, then none. */
export function times(n: number, fault: Fault): Rule {
  let left = n;
  return () => (left-- > 0 ? fault : undefined);
}

/** The fault for the nth request asked about only, counted from 1. */
export function nth(n: number, fault: Fault): Rule {
  let seen = 0;
  return () => (++seen === n ? fault : undefined);
}

/** Asks the rule (or gives the fault, always) only for requests that fit. */
export function when(match: Match | ((request: ProxiedRequest) => boolean), then: Rule | Fault): Rule {
  const fits = typeof match === 'function' ? match : (request: ProxiedRequest) => matches(match, request);
  const rule = typeof then === 'function' ? then : () => then;
  return (request) => (fits(request) ? rule(request) : undefined);
}

function matches({ method, path, query }: Match, request: ProxiedRequest): boolean {
  if (method !== undefined && method !== request.method) return false;
  if (typeof path === 'string' && path !== request.path) return false;
  if (path instanceof RegExp && !path.test(request.path)) return false;
  return Object.entries(query ?? {}).every(([name, value]) => request.query.get(name) === value);
}

/** One request, from its arrival on; filled in as it goes. */
export interface LogEntry {
  readonly number: number;
  /** When it arrived, in ms since 1970. */
  readonly time: number;
  /** The same by performance.now(). */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** What was done to it. */
  readonly fault: Fault | undefined;
  /** As text, the first MiB. */
  body: string;
  /** The answer's status, the target's or the rule's; none yet, or the target never answered: undefined. */
  status: number | undefined;
  /** When that answer began, by performance.now(): one order for all proxies of a test. */
  answeredAt: number | undefined;
  /** What the target answered, whatever the client got of it: as text, the first MiB. */
  answer: string;
  /** Nothing more will happen to it. */
  done: boolean;
}
