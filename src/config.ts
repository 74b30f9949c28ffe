// The configuration: the flags of the 2019 program and ours, and what the environment overrides. Pure; read once by main.
import manifest from '../package.json' with { type: 'json' };
import { type FlagValues, formatFlags, parseFlags } from './flags.ts';
import { klogFlags, klogWarnings } from './klog-flags.ts';
import { type Level, levels } from './log.ts';
import { readWebhookSecrets, type WebhookSecrets } from './webhook-secrets.ts';

/** The version of kube-git, as -version and the User-Agent say it. */
export const version: string = manifest.version;

export interface Config {
  readonly webhookSecrets: WebhookSecrets;
  readonly notificationConfigFile: string;
  /** Whether nobody named the file: then it may be missing. */
  readonly notificationConfigFileIsDefault: boolean;
  /** Empty: $KUBECONFIG, the pod's own account, or ~/.kube/config. */
  readonly kubeconfig: string;
  /** The API server's URL, instead of the kubeconfig's. */
  readonly master: string;
  /** The kubeconfig's context; empty is its current one. */
  readonly context: string;
  /** The only namespace whose GitHooks are served; empty is all. */
  readonly namespace: string;
  /** 0 is any free port. */
  readonly webhookPort: number;
  readonly privatePort: number;
  /** Where heap snapshots and CPU profiles are to be had, on 127.0.0.1; 0 is nowhere. */
  readonly profilePort: number;
  /** Empty is every address. */
  readonly bindAddress: string;
  /** The context of commit statuses; empty is kube-git/<namespace>/<githook>. */
  readonly statusContext: string;
  /** The ServiceAccount of a GitHook that names none; empty is kube-git itself. */
  readonly defaultServiceAccount: string;
  /** What `kubectl apply -k` is given to allow kube-git in a namespace, for messages. */
  readonly tenantBase: string;
  readonly allowInsecureCredentials: boolean;
  /** A known_hosts file for all repositories; empty means none. */
  readonly sshKnownHostsFile: string;
  /** Certificate authorities to trust in addition to the system's, PEM; empty means none. */
  readonly caFile: string;
  /** How manifests are fetched: see the flag. */
  readonly fetch: 'auto' | 'git';
  readonly poll: PollConfig;
  /** Whether forges' logs of deliveries are read. */
  readonly deliveryLog: boolean;
  readonly election: ElectionConfig;
  readonly logLevel: Level;
  /** What is allowed but probably not meant: to be logged at start. */
  readonly warnings: readonly string[];
}

/** How pushes are looked for that no webhook told of. */
export interface PollConfig {
  /** Of GitHooks that do not say; 0 is never. */
  readonly intervalMs: number;
  readonly settleMs: number;
}

/** Which replica leads. The names are those of Kubernetes' own programs. */
export interface ElectionConfig {
  /** Whether to ask for the Lease at all; without it this process always leads. */
  readonly enabled: boolean;
  readonly namespace: string;
  readonly name: string;
  /** Who we are in it; empty is a name of this process alone. */
  readonly identity: string;
  readonly leaseDurationSeconds: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

export type Start =
  | { readonly kind: 'run'; readonly config: Config }
  /** Print it on standard output and exit 0. */
  | { readonly kind: 'print'; readonly text: string }
  /** Print it on standard error and exit 2, as Go does. */
  | { readonly kind: 'error'; readonly text: string };

/** The ServiceAccount that install/tenant makes in a namespace, and the default of -default-service-account. */
export const tenantServiceAccount = 'kube-git-runner';

const flags = {
  'github-webhook-secret': {
    default: '',
    help: 'Secret of the webhooks that GitHub sends to /github. The environment variable GITHUB_WEBHOOK_SECRET overrides it and keeps it out of the list of processes.',
  },
  'gitea-webhook-secret': {
    default: '',
    help: 'Secret of the webhooks that Gitea or Forgejo sends to /gitea. The environment variable GITEA_WEBHOOK_SECRET overrides it.',
  },
  'notification-config-file': {
    default: '/etc/kube-git/notification.yaml',
    value: 'file',
    help: 'The notification file: whom to tell. Read again when it changes.',
  },
  kubeconfig: { default: '', value: 'file', help: 'The kubeconfig. Not needed inside a cluster.' },
  master: { default: '', value: 'url', help: "The API server's address, instead of the one in the kubeconfig." },
  context: { default: '', value: 'name', help: 'The context of the kubeconfig, instead of its current one.' },
  namespace: {
    default: '',
    value: 'name',
    help: 'Serve the GitHooks of this namespace only, with rights in no other. Empty is every namespace.',
  },
  'webhook-port': { default: 8080, help: 'The port webhooks are received on. 0 is any free one.' },
  'private-port': { default: 8081, help: 'The port of /healthz, /readyz and /metrics. 0 is any free one.' },
  'profile-port': {
    default: 0,
    help: 'A port of 127.0.0.1 to take heap snapshots and CPU profiles from. Heap snapshots hold every secret kube-git knows. 0 is none.',
  },
  'bind-address': { default: '', value: 'address', help: 'The address both ports listen on. Empty is every address.' },
  'status-context': {
    default: '',
    value: 'context',
    help: 'The context of commit statuses of GitHooks that set none. Empty is kube-git/<namespace>/<githook>.',
  },
  'default-service-account': {
    default: tenantServiceAccount,
    value: 'name',
    help: "The ServiceAccount, in the GitHook's namespace, that GitHooks without serviceAccountName run as. Empty is kube-git's own account.",
  },
  'tenant-base': {
    default: 'install/tenant',
    value: 'folder',
    help: 'What messages tell people to apply (kubectl apply -k) to a namespace that has not allowed kube-git yet.',
  },
  'allow-insecure-credentials': { default: false, help: 'Send credentials of repositories over http without TLS.' },
  'ssh-known-hosts-file': {
    default: '',
    value: 'file',
    help: "Host keys of ssh servers, in addition to those of GitHub, GitLab.com and Bitbucket Cloud, for every GitHook. A file as ssh's known_hosts, read at each fetch.",
  },
  'ca-file': {
    default: '',
    value: 'file',
    help: "Certificates (PEM) of authorities to trust in addition to the system's, for git, forges and chat. Read at the start.",
  },
  fetch: {
    default: 'auto',
    value: 'way',
    choices: ['auto', 'git'],
    help: 'How manifests are fetched. auto asks servers for single objects, and runs git where they give none; git always runs git.',
  },
  'poll-interval': {
    default: '600s',
    value: 'duration',
    format: { pattern: /^\d{1,5}s$/, expected: 'whole seconds, such as 600s; 0s is never' },
    help: 'How often the repositories of GitHooks that set no poll.intervalSeconds are looked at for pushes that no webhook told of. 0s is never.',
  },
  'poll-settle': {
    default: '120s',
    value: 'duration',
    format: { pattern: /^\d{1,5}s$/, expected: 'whole seconds, such as 120s' },
    help: 'For how long such a push must have been seen until it is run without a webhook.',
  },
  'delivery-log': {
    default: true,
    help: "Read GitHub's log of deliveries with the tokens of the notification file, for pushes whose delivery failed.",
  },
  'leader-elect': {
    default: true,
    help: 'Hold a Lease while advancing runs, so that of several replicas one does. Without it there must be no second one.',
  },
  'leader-elect-lease-duration': {
    default: '15s',
    value: 'duration',
    format: { pattern: /^([2-9]|[1-9]\d{1,2})s$/, expected: 'whole seconds from 2s to 999s' },
    help: 'How long after its last sign of life another replica takes over from one that is gone.',
  },
  'leader-elect-resource-name': { default: 'kube-git', value: 'name', help: 'The name of that Lease.' },
  'leader-elect-resource-namespace': {
    default: '',
    value: 'name',
    help: "The namespace of that Lease. Empty is the pod's (environment variable POD_NAMESPACE), else that of -namespace, else default.",
  },
  'log-level': { default: 'info', value: 'level', choices: levels, help: `How much to log: ${levels.join(', ')}.` },
  version: { default: false, help: 'Print the version and exit.' },
  ...klogFlags,
} as const;

/** Reads the arguments (without the program's name) and the environment. Never throws; no text it returns holds a value that was given. */
export function parseConfig(argv: readonly string[], env: Environment): Start {
  const parsed = parseFlags(flags, argv);
  if (parsed.kind === 'error') return { kind: 'error', text: `${parsed.text}\n` };
  if (parsed.kind === 'help') return { kind: 'print', text: `Usage of kube-git:\n${formatFlags(flags)}` };
  if (parsed.values.version) return { kind: 'print', text: `kube-git ${version}\n` };
  return { kind: 'run', config: configOf(parsed.values, parsed.given, env) };
}

function configOf(values: FlagValues<typeof flags>, given: ReadonlySet<string>, env: Environment): Config {
  const { secrets: webhookSecrets, warnings } = readWebhookSecrets(
    { github: values['github-webhook-secret'], gitea: values['gitea-webhook-secret'] },
    env,
  );
  return {
    webhookSecrets,
    notificationConfigFile: values['notification-config-file'],
    notificationConfigFileIsDefault: !given.has('notification-config-file'),
    kubeconfig: values.kubeconfig,
    master: values.master,
    context: values.context,
    namespace: values.namespace,
    webhookPort: values['webhook-port'],
    privatePort: values['private-port'],
    profilePort: values['profile-port'],
    bindAddress: values['bind-address'],
    statusContext: values['status-context'],
    defaultServiceAccount: values['default-service-account'],
    tenantBase: values['tenant-base'],
    allowInsecureCredentials: values['allow-insecure-credentials'],
    sshKnownHostsFile: values['ssh-known-hosts-file'],
    caFile: values['ca-file'],
    fetch: values.fetch === 'git' ? 'git' : 'auto',
    deliveryLog: values['delivery-log'],
    poll: {
      intervalMs: Number.parseInt(values['poll-interval'], 10) * 1000,
      settleMs: Number.parseInt(values['poll-settle'], 10) * 1000,
    },
    election: {
      enabled: values['leader-elect'],
      namespace: values['leader-elect-resource-namespace'] || env['POD_NAMESPACE'] || values.namespace || 'default',
      name: values['leader-elect-resource-name'],
      identity: env['POD_NAME'] ?? '',
      leaseDurationSeconds: Number.parseInt(values['leader-elect-lease-duration'], 10),
    },
    logLevel: levels.find((level) => level === values['log-level']) ?? 'info',
    warnings: [...klogWarnings(given), ...warnings],
  };
}
