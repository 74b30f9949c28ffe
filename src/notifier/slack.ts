// A Slack incoming webhook: the 2019 program's message, field for field, and one for what could not be started.
// https://api.slack.com/reference/messaging/attachments. One row of registry.ts.
import * as v from 'valibot';
import { classify, type Sink } from '../answer.ts';
import { cancelled } from '../api/phase.ts';
import type { HttpPost } from '../http.ts';
import { oneLine } from '../text.ts';
import {
  type CommonConfig,
  checkAllowed,
  commonFields,
  linkOf,
  optionalText,
  parseEntry,
  requiredUrl,
} from './entry.ts';
import type { Notifier, NotifierType, Report } from './notifier.ts';

const Config = v.object(
  { ...commonFields, webhookURL: requiredUrl, channel: optionalText },
  'must be a mapping with webhookURL, and maybe url and channel',
);
type Config = v.InferOutput<typeof Config>;

export const slack: NotifierType = {
  type: 'slack',
  fields: Object.keys(Config.entries),
  parse: (entry, name) => {
    const config = parseEntry(Config, entry, name);
    const secrets = secretsOf(config.webhookURL);
    return { settings: config, secrets, connect: (http) => connect(config, sinkOf(name, config, secrets), http) };
  },
};

function connect(config: Config, sink: Sink, http: HttpPost): Notifier {
  return {
    send: async (report, signal) => {
      checkAllowed(sink.entry, config, report);
      classify(await http({ url: config.webhookURL, json: messageOf(config, report), signal }), sink);
    },
  };
}

/** Slack's end with 24 characters; a path or segment much shorter is no secret, and masking it would spoil the log. */
const minSecret = 16;

function secretsOf(webhookURL: string): string[] {
  const { pathname, search } = new URL(webhookURL);
  const parts = [webhookURL, `${pathname}${search}`, pathname, ...pathname.split('/')];
  return [...new Set(parts)].filter((part) => part.length >= minSecret);
}

type Fields = Readonly<Record<string, unknown>>;

function messageOf(config: Config, report: Report): Fields {
  return present({
    channel: config.channel,
    username: 'kube-git',
    icon_url: 'https://raw.githubusercontent.com/appspero/kube-git/master/icon.png',
    attachments: [attachmentOf(config, report)],
  });
}

function attachmentOf(config: CommonConfig, report: Report): Fields {
  const words = report.state === 'Error' ? errorWords(report) : resourceWords(report, report.state);
  return present({
    color: words.color,
    title: words.title,
    title_link: linkOf(config, report),
    text: words.text,
    fallback: words.fallback,
    fields: [
      present({ title: 'Repository', value: escaped(report.repository, limits.repository) }),
      present({ title: 'Author', value: escaped(report.author, limits.author) }),
      present({ title: 'Branch', value: code(report.ref) }),
      present({ title: 'Commit', value: code(report.commit) }),
    ],
  });
}

interface Words {
  readonly color: string;
  readonly title: string;
  readonly text: string;
  readonly fallback: string;
}

const outcomes = {
  Started: { color: 'warning', title: 'Started :large_orange_diamond:', verb: 'started' },
  Succeeded: { color: 'good', title: 'Succeeded :white_check_mark:', verb: 'succeeded' },
  Failed: { color: 'danger', title: 'Failed :x:', verb: 'failed' },
} as const;

function resourceWords(report: Report, state: keyof typeof outcomes): Words {
  const { color, title, verb } = outcomes[state];
  const resource = report.resource ?? { title: 'Run', name: report.run };
  const kind = escaped(resource.title, limits.name);
  const name = code(`${report.namespace}/${resource.name}`);
  return {
    color,
    title: `${kind} ${title}`,
    text: `${kind} ${name} triggered by githook ${code(report.gitHook)} has ${verb} `,
    fallback: `kube-git: ${kind} ${name} ${verb}`,
  };
}

function errorWords({ gitHook, ref, reason, message }: Report): Words {
  if (reason === cancelled) {
    return {
      color: 'danger',
      title: 'Cancelled :x:',
      text: `The run of ${code(ref)} for githook ${code(gitHook)} was cancelled: ${escaped(message, limits.message)} `,
      fallback: `kube-git: a run of githook ${code(gitHook)} was cancelled`,
    };
  }
  return {
    color: 'danger',
    title: 'Could not start :x:',
    text: `The push of ${code(ref)} to githook ${code(gitHook)} could not be started: ${escaped(message, limits.message)} `,
    fallback: `kube-git: githook ${code(gitHook)} could not start: ${escaped(reason, limits.name)}`,
  };
}

/** In characters before escaping. Names in Kubernetes are at most 253 and refs that forges take about as long; the rest is what one reads in a channel. */
const limits = { name: 600, repository: 2000, author: 200, message: 1000 } as const;

/** Slack reads only & < > as markup that can call people or hide links: https://api.slack.com/reference/surfaces/formatting#escaping */
function escaped(text: string, max: number): string {
  return oneLine(text, max).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Between backticks; one inside would end it early. Empty stays empty. */
function code(text: string): string {
  const inner = escaped(text, limits.name).replaceAll('`', "'");
  return inner === '' ? '' : `\`${inner}\``;
}

/** As Go's omitempty does: without what is empty. */
function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined));
}

function sinkOf(entry: string, { webhookURL }: Config, secrets: readonly string[]): Sink {
  return {
    entry,
    host: new URL(webhookURL).host,
    secrets,
    advise: (status) =>
      status < 400 || status === 403 || status === 404 || status === 410
        ? `Make a new incoming webhook and write it in ${entry}.webhookURL of the notification file`
        : undefined,
  };
}
