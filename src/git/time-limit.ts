// The wall clock of one piece of work with a server. Called by the manifest source and the ref source.
import { WaitingError } from '../errors.ts';

/** Throws WaitingError RepositoryTooSlow when `ms` are over before the work is; the signal's reason when it is aborted first. */
export async function withTimeLimit<T>(
  work: (limited: AbortSignal) => Promise<T>,
  { ms, url }: { readonly ms: number; readonly url: string },
  signal: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.timeout(ms);
  try {
    return await work(AbortSignal.any([signal, limit]));
  } catch (error) {
    if (signal.aborted || error !== limit.reason) throw error;
    throw new WaitingError('RepositoryTooSlow', `${url} took longer than ${ms / 1000} s`);
  }
}
