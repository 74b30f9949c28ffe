// What everything that asks GitHub's API has in common: who asks, and of which repositories. Called by github.ts and github-log.ts.
import { TerminalError } from '../errors.ts';
import { oneLine } from '../text.ts';
import { gitHostOf, placeOf, type RepositoryPlace } from './repository.ts';

/**
 * As the 2019 program sent it, so that whatever server took it still does: GitHub takes tokens with Basic as with
 * Bearer, and Gitea reads a user whose password is x-oauth-basic as a token (services/auth/basic.go).
 */
export function basicCredentials(token: string): string {
  return Buffer.from(`${token}:x-oauth-basic`).toString('base64');
}

/** The entry's token goes to the entry's api only, and an api only speaks of its own host's repositories. */
export function checkHost(
  entry: string,
  { api }: { readonly api: string },
  { repository }: { readonly repository: string },
): RepositoryPlace {
  const place = placeOf(repository);
  const serves = gitHostOf(api);
  if (place.host === serves) return place;
  const host = oneLine(place.host, 100);
  const wanted = host === 'github.com' ? 'https://api.github.com' : `https://${host}/api/v3 (Gitea: /api/v1)`;
  throw new TerminalError(
    'WrongHost',
    `notification entry ${entry} is for repositories of ${serves}, and spec.repository is on ${host}: write an entry with api: ${wanted} in kube-git's notification file and name it in spec.notification.github`,
  );
}
