// What an http server answered, read from git's own trace (GIT_TRACE_CURL): the status, not git's wording of it. Called by the session.
import { open } from 'node:fs/promises';

export interface ServerAnswer {
  /** Of the last answer; undefined when there was none. */
  readonly status?: number;
  readonly location?: string;
  readonly contentType?: string;
  readonly retryAfterMs?: number;
}

const readBytes = 64 * 1024; // the last answer's headers are at the end

/** The last answer in the trace; empty where no server has answered. */
export async function readAnswer(traceFile: string): Promise<ServerAnswer> {
  try {
    return parseTrace(await readEnd(traceFile), Date.now());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function readEnd(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, readBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** `now`: milliseconds since 1970, for a Retry-After that is a date. */
export function parseTrace(trace: string, now: number): ServerAnswer {
  const headers = [...trace.matchAll(/<= Recv header: ([^\r\n]*)/g)].map((match) => match[1] ?? '');
  const last = headers.findLastIndex((header) => header.startsWith('HTTP/'));
  if (last < 0) return {};
  const find = (name: string) =>
    headers
      .slice(last)
      .find((header) => header.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const location = find('location');
  const contentType = find('content-type')?.split(';')[0];
  const wait = retryAfterMs(find('retry-after'), now);
  return {
    status: Number.parseInt(headers[last]?.split(' ')[1] ?? '', 10),
    ...(location !== undefined && { location }),
    ...(contentType !== undefined && { contentType }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  };
}

/** How long any wish to wait is honoured: the windows of forges are an hour, and so long a manifest is tried to be fetched. */
const longestWaitMs = 3_600_000;

/** A Retry-After header: seconds or a date. `now`: milliseconds since 1970. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), longestWaitMs);
}
