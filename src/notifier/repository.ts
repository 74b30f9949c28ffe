// Where a repository is, as far as a forge's API must know it. Called by the notifiers. Pure.
import { canonicalRepository, ownerAndName } from '../api/repository.ts';
import { TerminalError } from '../errors.ts';

export interface RepositoryPlace {
  /** Host name in lower case, without port; one for all names of this machine. */
  readonly host: string;
  /** The last two segments of the path, each checked to be a name and nothing more. */
  readonly owner: string;
  readonly name: string;
}

/** What GitHub and Gitea allow in names; everything else is refused rather than escaped. */
const nameForm = /^[A-Za-z0-9._-]{1,255}$/;

/** Takes any form of clone URL. Throws TerminalError InvalidRepository where it holds no owner and name. */
export function placeOf(repository: string): RepositoryPlace {
  const host = canonicalRepository(repository)?.split('/', 1)[0];
  const { owner = '', name = '' } = ownerAndName(repository) ?? {};
  if (host === undefined || !isName(owner) || !isName(name)) {
    throw new TerminalError(
      'InvalidRepository',
      "spec.repository does not end with an owner and a name, such as https://github.com/acme/app.git: the forge's API cannot be told of it",
    );
  }
  return { host: sameMachine(host), owner, name };
}

/** The host that the repositories of an API are cloned from. */
export function gitHostOf(api: string): string {
  const host = new URL(api).hostname.replace(/\.$/, '');
  if (host === 'api.github.com') return 'github.com';
  // GitHub with data residency: https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency
  return /^api\.[^.]+\.ghe\.com$/.test(host) ? host.slice('api.'.length) : sameMachine(host);
}

/** Tests and demos run their forge on this machine, under whichever name. */
function sameMachine(host: string): string {
  return host === '127.0.0.1' || host === '[::1]' ? 'localhost' : host;
}

function isName(text: string): boolean {
  return nameForm.test(text) && text !== '.' && text !== '..';
}
