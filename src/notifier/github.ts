// GitHub's commit status, and Gitea's, which takes the same request. One row of registry.ts.
// https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
import * as v from 'valibot';
import { classify, type Sink } from '../answer.ts';
import { cancelled } from '../api/phase.ts';
import { TerminalError } from '../errors.ts';
import type { HttpPost } from '../http.ts';
import { oneLine } from '../text.ts';
import { type CommonConfig, checkAllowed, commonFields, linkOf, parseEntry, requiredText, urlOr } from './entry.ts';
import { basicCredentials, checkHost } from './github-api.ts';
import { githubLog, keepsLog } from './github-log.ts';
import type { Notifier, NotifierType, Report, ReportState } from './notifier.ts';
import type { RepositoryPlace } from './repository.ts';

const Config = v.object(
  { ...commonFields, token: requiredText, api: urlOr('https://api.github.com') },
  'must be a mapping with token, and maybe url and api',
);
type Config = v.InferOutput<typeof Config>;

export const github: NotifierType = {
  type: 'github',
  fields: Object.keys(Config.entries),
  parse: (entry, name) => {
    const config = parseEntry(Config, entry, name);
    const secrets = [config.token, basicCredentials(config.token)];
    const of = { entry: name, config, secrets };
    return {
      ...{ settings: config, secrets },
      connect: (http) => connect(config, sinkOf(name, config, secrets), http),
      ...(keepsLog(config.api) && { openLog: (http) => githubLog(of, http) }),
    };
  },
};

function connect(config: Config, sink: Sink, http: HttpPost): Notifier {
  return {
    send: async (report, signal) => {
      checkAllowed(sink.entry, config, report);
      const repository = checkHost(sink.entry, config, report);
      const answer = await http({
        url: statusUrl(config.api, repository, report.commit),
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Basic ${basicCredentials(config.token)}`,
        },
        json: statusOf(config, report),
        signal,
      });
      classify(answer, sink);
    },
  };
}

function statusUrl(api: string, { owner, name }: RepositoryPlace, commit: string): string {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) {
    throw new TerminalError('NotificationRefused', `${oneLine(commit, 80)} is not the id of a commit`);
  }
  const path = ['repos', owner, name, 'statuses', commit].map(encodeURIComponent).join('/');
  return `${api.replace(/\/+$/, '')}/${path}`;
}

const states: Readonly<Record<ReportState, string>> = {
  Started: 'pending',
  Succeeded: 'success',
  Failed: 'failure',
  Error: 'error',
};

function statusOf(config: CommonConfig, report: Report): Readonly<Record<string, string | undefined>> {
  return {
    state: states[report.state],
    // A field that is undefined is not sent.
    target_url: linkOf(config, report),
    description: descriptionOf(report),
    context: report.context,
  };
}

/** "Descriptions are limited to 140 characters"; characters of four bytes are answered with 422. */
const maxDescription = 140;
const fourByteCharacters = /[\u{10000}-\u{10ffff}]/gu;

function descriptionOf({ state, reason, message }: Report): string {
  if (state === 'Started') return 'The build has started';
  if (state === 'Succeeded') return 'The build has succeeded';
  if (state === 'Failed') return 'The build has failed';
  const what = reason === cancelled ? 'Cancelled' : `Could not start: ${reason}`;
  return oneLine(`${what}: ${message}`, maxDescription).replaceAll(fourByteCharacters, '\u{fffd}');
}

function sinkOf(entry: string, { api }: Config, secrets: readonly string[]): Sink {
  return { entry, host: new URL(api).host, secrets, advise: (status, said) => adviceOf(entry, status, said) };
}

function adviceOf(entry: string, status: number, said: string): string | undefined {
  if (status < 400) return 'If the repository was renamed, write its new URL in spec.repository';
  if (status === 401) return `Write a valid token in ${entry}.token of the notification file`;
  if (status === 403)
    return `Let the token of ${entry} write commit statuses of this repository (classic tokens: repo:status)`;
  if (status === 404)
    return `Check spec.repository, and that the token of ${entry} may write its commit statuses: without that GitHub says 404`;
  // 1000 for one commit and context, for ever.
  if (status === 422 && /maximum number of statuses/i.test(said)) {
    return 'GitHub takes 1000 statuses for one commit and context: push a new commit, or set another spec.notification.context';
  }
  return undefined;
}
