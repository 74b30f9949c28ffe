// The environment git runs in: made from nothing, so that no configuration, credential helper, hook or agent of the machine
// reaches it. Called by the session. Secrets are here and only here: never in an argument.
import { join } from 'node:path';
import type { Credentials } from './git.ts';
import { hasCredentials, type Remote } from './validate.ts';

export type Environment = Readonly<Record<string, string>>;

/** What of kube-git's own environment git needs: where programs are, and what certificates to trust. Proxies come as a setting. */
const passedOn = ['PATH', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'GIT_PROXY_SSL_CAINFO'];

const silentBytesPerSecond = 1000; // a server below this is as good as silent

const settings: readonly (readonly [string, string])[] = [
  ['credential.helper', ''],
  ['core.askPass', ''],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.bigFileThreshold', '1m'], // larger blobs are streamed, not held in memory
  ['core.packedGitWindowSize', '16m'], // how much of a pack is mapped at once: leaves room under the memory limit
  ['core.packedGitLimit', '128m'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.unpackLimit', '1'], // always one pack: its size is what the file size limit limits
  ['fetch.writeCommitGraph', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['pack.threads', '1'],
  ['protocol.version', '2'],
  ['http.followRedirects', 'false'], // a redirect would take the credentials along
  ['transfer.fsckObjects', 'true'],
  ['transfer.bundleURI', 'false'], // a server may not send git elsewhere
];

/** For commands that must not touch the network: no remote, no protocol allowed. `own` is kube-git's environment. */
export function localEnvironment(own: Readonly<Record<string, string | undefined>>, folder: string): Environment {
  return { ...base(own, folder), ...configuration(settings), GIT_ALLOW_PROTOCOL: 'none' };
}

export interface RemoteOptions {
  readonly wanted: Remote;
  readonly credentials: Credentials;
  /** Where git notes what the server answers. */
  readonly traceFile: string;
  readonly silentSeconds: number;
  /** The proxy to go through, with its user and password; undefined to go straight. */
  readonly proxy: string | undefined;
}

/** For fetching from the wanted repository as the remote `origin`. */
export function remoteEnvironment(local: Environment, options: RemoteOptions): Environment {
  const { wanted, credentials } = options;
  const remote = [
    ['remote.origin.url', wanted.url],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialclonefilter', 'blob:none'],
    ['http.lowSpeedLimit', String(silentBytesPerSecond)],
    ['http.lowSpeedTime', String(options.silentSeconds)],
    ['http.proxy', options.proxy ?? ''],
  ] as const;
  const login =
    wanted.scheme !== 'ssh' && hasCredentials(credentials)
      ? [[`http.${wanted.origin}/.extraHeader`, `Authorization: ${authorization(credentials)}`] as const]
      : [];
  return {
    ...local,
    ...configuration([...settings, ...remote, ...login]),
    GIT_ALLOW_PROTOCOL: wanted.scheme,
    GIT_TRACE_CURL: options.traceFile,
    GIT_TRACE_CURL_NO_DATA: '1',
    GIT_TRACE_REDACT: '1',
  };
}

/** Every form in which the credentials might come back in a server's or git's words. */
export function secretForms(credentials: Credentials): string[] {
  if (!hasCredentials(credentials)) return [];
  const { password = '' } = credentials;
  return [basic(credentials), password, password.trim(), encodeURIComponent(password)].filter((form) => form !== '');
}

/** The value of the header that logs in. */
export function authorization(credentials: Credentials): string {
  return `Basic ${basic(credentials)}`;
}

/** The user defaults to git, which suits access tokens. */
function basic({ username, password }: Credentials): string {
  return Buffer.from(`${username || 'git'}:${password ?? ''}`).toString('base64');
}

function base(own: Readonly<Record<string, string | undefined>>, folder: string): Record<string, string> {
  const caFile = own['SSL_CERT_FILE']; // the usual name; Debian's git knows only its own
  const present = passedOn.flatMap((name) => (own[name] ? [[name, own[name]] as const] : []));
  return {
    ...(caFile && { GIT_SSL_CAINFO: caFile }),
    ...Object.fromEntries(present),
    HOME: join(folder, 'home'),
    XDG_CONFIG_HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    LC_ALL: 'C',
    GIT_DIR: join(folder, 'repository.git'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
  };
}

/** git-config(1), GIT_CONFIG_COUNT: configuration that no other process of another user can read. */
function configuration(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const entries = pairs.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ]);
  return { GIT_CONFIG_COUNT: String(pairs.length), ...Object.fromEntries(entries) };
}
