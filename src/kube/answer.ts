// What an answer of the API server means: the object in it, or an ApiError. Pure; called by the client and by watches.
import * as v from 'valibot';
import { ApiError } from './kube.ts';

/** The part of Kubernetes' Status object that counts here. Other programs (proxies) answer in its place. */
const statusSchema = v.object({
  kind: v.literal('Status'),
  reason: v.fallback(v.string(), ''),
  message: v.fallback(v.string(), ''),
  code: v.fallback(v.number(), 0),
  details: v.fallback(v.object({ retryAfterSeconds: v.fallback(v.number(), 0) }), { retryAfterSeconds: 0 }),
});

/** How much of an answer that is not a Status is shown. */
const SHOWN_TEXT_LENGTH = 200;

/** Throws an Error, without the text (it may hold a Secret), if the JSON is not whole. */
export function parseObject<T extends object>(json: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error(`${what}: the API server's answer is not JSON, or not all of it came (${json.length} characters)`);
  }
  if (typeof value !== 'object' || value === null) throw new Error(`${what}: the API server's answer is not an object`);
  return value as T;
}

/** The error of an answer that is not 2xx. `retryAfter` is the header. */
export function errorOf(
  answer: { status: number; body: string; retryAfter: string | undefined },
  what: string,
): ApiError {
  const status = parseStatus(answer.body);
  const text = status ? status.message : answer.body.trim().slice(0, SHOWN_TEXT_LENGTH);
  return new ApiError({
    status: answer.status,
    reason: status?.reason ?? '',
    message: text || `${what}: the API server answered ${answer.status}`,
    retryAfterMs: parseRetryAfter(answer.retryAfter),
  });
}

/** The error that an ERROR event of a watch carries. */
export function errorOfEvent(object: unknown, what: string): ApiError {
  const result = v.safeParse(statusSchema, object);
  const status = result.success
    ? result.output
    : { code: 0, reason: '', message: '', details: { retryAfterSeconds: 0 } };
  const seconds = status.details.retryAfterSeconds;
  return new ApiError({
    status: status.code,
    reason: status.reason,
    message: status.message || `${what}: the watch ended with an error`,
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  });
}

function parseStatus(body: string): v.InferOutput<typeof statusSchema> | undefined {
  try {
    const result = v.safeParse(statusSchema, JSON.parse(body));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** Kubernetes sends whole seconds; a date (which HTTP allows) is taken as missing. */
function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
