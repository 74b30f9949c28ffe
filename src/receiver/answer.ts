// Outcomes as HTTP answers. Called by server.ts. Pure.
import { type Outcome, outcome, unverified } from './outcome.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
}

/** Long enough for an API server to come back or a burst to pass, short enough to be worth it. */
const retryAfterSeconds = 10;

/** 202 where there are runs; else 200 for a decision that stands, 400 and 401 for what was no delivery, 503 for what may be sent again. */
export function answerTo(decided: Outcome): Answer {
  if (decided.decision === 'unavailable') return unavailable(decided);
  return { status: statusOf(decided), headers: {}, outcome: decided };
}

function statusOf(decided: Outcome): number {
  if (decided === unverified) return 401;
  if (decided.reason === 'Malformed') return 400;
  return decided.runs.length > 0 ? 202 : 200;
}

function unavailable(decided: Outcome): Answer {
  return { status: 503, headers: { 'retry-after': String(retryAfterSeconds) }, outcome: decided };
}

/** Answers to requests that are not looked at any further. */
export const refusals = {
  unverified: answerTo(unverified),
  method: {
    status: 405,
    headers: { allow: 'POST' },
    outcome: outcome('', 'refused', 'MethodNotAllowed', 'this is a webhook for forges: it takes POST only'),
  },
  tooLarge: refusal(413, 'TooLarge', 'the body is over 25 MiB'),
  mediaType: refusal(
    415,
    'UnsupportedMediaType',
    "choose application/json as the content type in the forge's webhook settings",
  ),
  timeout: refusal(408, 'Timeout', 'the body took too long to arrive'),
  busy: unavailable(outcome('', 'unavailable', 'Busy', 'too many deliveries at once: send it again later')),
  failed: unavailable(outcome('', 'unavailable', 'Failed', 'kube-git failed: send it again later, and see its log')),
} as const satisfies Record<string, Answer>;

function refusal(status: number, reason: string, message: string): Answer {
  return { status, headers: {}, outcome: outcome('', 'refused', reason, message) };
}
