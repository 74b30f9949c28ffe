// Gathers what is known of a git command that failed, for failure.ts to explain. Called by the manifest source and the ref source.
import type { TerminalError, WaitingError } from '../errors.ts';
import { proxySecrets } from '../proxy.ts';
import type { Result } from './command.ts';
import { secretForms } from './environment.ts';
import { explainFailure } from './failure.ts';
import type { Credentials } from './git.ts';
import type { Session } from './session.ts';
import { hasCredentials, type Remote } from './validate.ts';

export interface Attempted {
  readonly session: Session;
  readonly wanted: Remote;
  readonly credentials: Credentials;
  /** kube-git's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The error for a command that talked to the server. */
export async function failureOf(
  { words }: Result,
  { session, wanted, credentials, environment }: Attempted,
): Promise<TerminalError | WaitingError> {
  return explainFailure({
    wanted,
    words,
    answer: await session.answer(),
    loggedIn: hasCredentials(credentials),
    unusedKey: wanted.scheme !== 'ssh' && credentials.sshPrivateKey !== undefined,
    ssh: await session.report(),
    secrets: [...secretForms(credentials), ...proxySecrets(environment)],
  });
}
