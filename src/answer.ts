// What a sink's answer means: nothing, or the error that says what happens next. Called by the notifiers with what
// http.ts brought back. Pure. Texts of sinks are untrusted: cut to one line, and without the entry's secrets.
import { TerminalError, WaitingError } from './errors.ts';
import type { HttpAnswer } from './http.ts';
import { mask } from './log.ts';
import { oneLine } from './text.ts';

/** Who answered, as errors speak of it. */
export interface Sink {
  /** The entry in the notification file, such as github.ci. */
  readonly entry: string;
  /** The entry's host: all that is ever said of its URL. */
  readonly host: string;
  /** What must not be repeated, should the sink do so. */
  readonly secrets: readonly string[];
  /** What a person can do about this answer; undefined where the sink knows nothing better than the general words. */
  advise(status: number, said: string): string | undefined;
}

/** How long any wish to wait is honoured: GitHub's windows are an hour. */
const maxWaitMs = 3_600_000;
const minWaitMs = 1_000;
/** "Wait at least one minute", https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const secondaryLimitMs = 60_000;
const maxSaid = 200;

/**
 * Returns on 2xx. Throws WaitingError (RateLimited, SinkUnavailable) for 408, 425, 429, 5xx and GitHub's 403 that are
 * rate limits, with what the sink asked to wait; else TerminalError (NotificationUnauthorized, NotificationNotFound, NotificationRefused).
 */
export function classify(answer: HttpAnswer, sink: Sink): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  if (status < 400) throw redirected(answer, sink);

  const said = saying(answer.text, sink.secrets);
  const waitMs = waitOf(answer);
  if (status === 429 || (status === 403 && isRateLimit(answer, said))) {
    throw new WaitingError('RateLimited', told(answer, sink, said), { retryAfterMs: waitMs ?? secondaryLimitMs });
  }
  if (status === 408 || status === 425 || status >= 500) {
    const options = waitMs === undefined ? {} : { retryAfterMs: waitMs };
    throw new WaitingError('SinkUnavailable', told(answer, sink, said), options);
  }
  const advice = sink.advise(status, said);
  throw new TerminalError(terminalReason(status), told(answer, sink, said) + (advice ? `. ${advice}` : ''));
}

function terminalReason(status: number): string {
  if (status === 401 || status === 403) return 'NotificationUnauthorized';
  return status === 404 || status === 410 ? 'NotificationNotFound' : 'NotificationRefused';
}

function told({ status }: HttpAnswer, sink: Sink, said: string): string {
  return `${sink.host} (notification entry ${sink.entry}) answered ${status}${said === '' ? '' : `: ${said}`}`;
}

/** The new place by its host only: its path may be as secret as the old one. */
function redirected(answer: HttpAnswer, sink: Sink): TerminalError {
  const location = answer.headers.get('location') ?? '';
  const base = `https://${sink.host}`;
  const place = URL.canParse(location, base) ? new URL(location, base).host : '';
  const where =
    place === sink.host || place === ''
      ? 'another address of the same host'
      : oneLine(mask(place, sink.secrets), maxSaid);
  const advice = sink.advise(answer.status, '') ?? `Write the new address in ${sink.entry} of the notification file`;
  return new TerminalError(
    'NotificationRefused',
    `${told(answer, sink, '')}, a redirect to ${where}, and redirects are not followed. ${advice}`,
  );
}

/** https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api: both limits come as 403 or 429. */
function isRateLimit({ headers }: HttpAnswer, said: string): boolean {
  if (headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after')) return true;
  return /secondary rate limit|abuse detection/i.test(said);
}

function waitOf({ headers, time }: HttpAnswer): number | undefined {
  const until = retryTime(headers.get('retry-after'), time) ?? resetTime(headers);
  return until === undefined ? undefined : Math.min(Math.max(until - time, minWaitMs), maxWaitMs);
}

/** Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3); anything else is as if it were missing. */
function retryTime(header: string | null, now: number): number | undefined {
  if (header === null || header.length > 40) return undefined;
  if (/^\d+$/.test(header)) return now + Number(header) * 1000;
  const date = /GMT$/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

function resetTime(headers: Headers): number | undefined {
  const reset = headers.get('x-ratelimit-reset') ?? '';
  return headers.get('x-ratelimit-remaining') === '0' && /^\d{1,12}$/.test(reset) ? Number(reset) * 1000 : undefined;
}

/** What the sink said, for people: GitHub's and Gitea's message and errors, Slack's word; nothing of an HTML page. */
function saying(text: string, secrets: readonly string[]): string {
  const words = text.trimStart().startsWith('<') ? '' : (messagesOf(text) ?? text);
  return oneLine(mask(words, secrets), maxSaid);
}

function messagesOf(text: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { message, errors } = parsed as { message?: unknown; errors?: unknown };
  const parts = [message, ...(Array.isArray(errors) ? errors.map(errorText) : [])];
  return parts.filter((part) => typeof part === 'string' && part !== '').join(': ');
}

/** GitHub: {resource, field, code, message?}, or a string. */
function errorText(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { message, field, code } = error as { message?: unknown; field?: unknown; code?: unknown };
  if (typeof message === 'string') return message;
  return typeof field === 'string' && typeof code === 'string' ? `${field} ${code}` : undefined;
}
