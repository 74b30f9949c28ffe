// A token in a file, which others replace while kube-git runs: a pod's projected token, a provider's.
// Used by kubeconfig.ts and kubeconfig-file.ts.
import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { type Credentials, LoadedCredentials } from './credentials.ts';
import type { ClientCertificate } from './transport.ts';

/** A projected token is replaced when a fifth of its life is left (two minutes at least), so a minute is soon enough. */
const REREAD_MS = 60_000;

export interface TokenFile {
  readonly token: string;
  /** Where the configuration names it, for errors. */
  readonly where: string;
  /** Sent besides, where there is one. */
  readonly certificate?: ClientCertificate | undefined;
  readonly clock: Clock;
}

/** The token is read again when a minute has passed, and after a 401. */
export function fileCredentials({ token, where, certificate, clock }: TokenFile): Credentials {
  return new LoadedCredentials(async () => {
    const text = (await readNamed(token, where)).trim();
    if (text === '') throw new Error(`${where}: ${token} is empty`);
    return { login: { token: text, certificate }, staleAt: clock.now() + REREAD_MS };
  }, clock);
}

/** A file's text. Throws an Error that says which file, and where it is named. */
export async function readNamed(path: string, where: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Error(`${where}: cannot read ${path} (${code})`);
  }
}
