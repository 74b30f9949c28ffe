// The program: reads its configuration, makes every part, hands each what it needs, and ends it in order.
// The only file that knows all.
import { hostname, tmpdir } from 'node:os';
import { setDefaultCACertificates } from 'node:tls';
import { isMainThread } from 'node:worker_threads';
import { systemClock as clock } from './clock.ts';
import { type Config, parseConfig, version } from './config.ts';
import { Replica } from './controller/replica.ts';
import { messageOf } from './errors.ts';
import { github } from './forge/github.ts';
import { forges } from './forge/registry.ts';
import { createManifestSource } from './git/fetch.ts';
import { createRefSource } from './git/refs.ts';
import { openWorkspace } from './git/workspace.ts';
import { startHealth } from './health.ts';
import { createHttpGet, createHttpPost } from './http.ts';
import { KubeClient } from './kube/client.ts';
import { type Election, unopposed } from './kube/election.ts';
import { loadKubeConfig } from './kube/kubeconfig.ts';
import { Elector, newIdentity } from './kube/lease.ts';
import { createRecorder } from './kube/recorder.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { watchNotificationFile } from './notifier/file.ts';
import { startProfile } from './profile.ts';
import { proxySecrets } from './proxy.ts';
import { type LoggedDelivery, parseLogged } from './receiver/logged-delivery.ts';
import { serveReading } from './receiver/reader-thread.ts';
import { record } from './receiver/record.ts';
import { createReceiver } from './receiver/server.ts';
import { untilStopped } from './stop.ts';
import { loadTrust } from './trust.ts';

if (isMainThread) await begin();
else serveReading(forges);

async function begin(): Promise<void> {
  const start = parseConfig(process.argv.slice(2), process.env);
  if (start.kind === 'run') return main(start.config).catch(fail);
  (start.kind === 'print' ? process.stdout : process.stderr).write(start.text);
  process.exitCode = start.kind === 'print' ? 0 : 2;
}

/** Runs until a signal ends it. Rejects only at the start, with words for a person. */
async function main(config: Config): Promise<void> {
  const stop = new AbortController();
  const parts = await wire(config);
  const { log, metrics, clients, recorder, notifications, workspace, replica, receiver } = parts;
  let leaving = false;
  const health = await startHealth({
    port: config.privatePort,
    address: config.bindAddress,
    metrics,
    ready: () => [...(leaving ? ['kube-git is stopping'] : []), ...replica.waitingFor()],
  });
  log.info({ port: health.port }, 'private server listening');
  const { port } = await receiver.listen(config.webhookPort, config.bindAddress);
  log.info({ port }, 'webhook server listening');
  const profile = config.profilePort === 0 ? undefined : await startProfile({ port: config.profilePort, clock, log });

  const working = Promise.all([replica.run(stop.signal), notifications.run(stop.signal)]);
  const onLeaving = (): void => {
    leaving = true;
  };
  await untilStopped({ clock, log, onLeaving });
  await receiver.close();
  stop.abort();
  await working;
  await recorder.stop();
  await workspace.close();
  await health.close();
  await profile?.close();
  for (const client of clients) client.close();
  log.info({}, 'stopped');
}

/** Every part, connected. Nothing runs yet. */
async function wire(config: Config) {
  const { namespace, defaultServiceAccount, tenantBase, statusContext, allowInsecureCredentials } = config;
  const metrics = createMetrics();
  const { sshKnownHostsFile: knownHostsFile } = config;
  const webhookSecrets: Readonly<Record<string, readonly string[]>> = config.webhookSecrets;
  const own = [...Object.values(webhookSecrets).flat(), ...proxySecrets(process.env)];
  let secrets = (): readonly string[] => own;
  const log = createLog(config.logLevel, () => secrets());
  for (const warning of config.warnings) log.warn({ warning }, 'configuration');

  const common = { clock, log, metrics, namespace };
  const ca = await loadTrust(config.caFile);
  if (ca) setDefaultCACertificates(ca); // else Node would not trust them in a proxy that speaks TLS itself
  const connect = await connector(config, metrics, log);
  const client = connect();
  // Of its own, so that a renewal never waits for a connection.
  const leaseClient = connect();
  const recorder = createRecorder({ kube: client, clock, log });
  const web = { clock, userAgent: `kube-git/${version}`, way: { ca, environment: process.env } };
  const notifications = await watchNotificationFile({
    ...common,
    path: config.notificationConfigFile,
    isDefaultPath: config.notificationConfigFileIsDefault,
    http: createHttpPost(web),
    ...(config.deliveryLog && { httpGet: createHttpGet(web) }),
    onChange: () => replica.entriesChanged(),
  });
  secrets = () => [...own, ...notifications.secrets()];
  const workspace = await openWorkspace(tmpdir());
  const environment = { ...process.env, ...(ca && gitTrust(await workspace.write('ca.pem', ca.join('\n')))) };
  const { directory } = workspace;
  const direct = config.fetch === 'auto' ? { ca, userAgent: web.userAgent } : undefined;
  const git = { directory, environment, knownHostsFile, allowInsecureCredentials, direct, log };
  const sources = { manifests: createManifestSource(git), refs: createRefSource(git) };
  const parse = (logged: LoggedDelivery) => parseLogged(github, logged);
  const recovery = { record, parseLogged: parse, poll: config.poll };
  const account = { defaultServiceAccount, tenantBase, statusContext };
  const told = { client, ...sources, ...recovery, notifications, recorder, ...account };
  const replica = new Replica({ ...common, ...told, election: electionOf(config, leaseClient, log) });
  const receiver = createReceiver({
    ...common,
    ...{ program: import.meta.filename, forges, gitHooks: replica.gitHooks, kube: client, recorder },
    secrets: (forge) => webhookSecrets[forge] ?? [],
    onVerified: (forge, index) =>
      metrics.webhookSecretUsed.inc({ forge, secret: index === 0 ? 'current' : 'previous' }),
  });
  return { ...common, clients: [client, leaseClient], recorder, notifications, workspace, replica, receiver };
}

/** What makes clients, each with connections of its own. */
async function connector(config: Config, metrics: Metrics, log: Log): Promise<() => KubeClient> {
  const { kubeconfig, master, context } = config;
  const { server, credentials, source } = await loadKubeConfig({
    kubeconfig,
    master,
    context,
    env: process.env,
    clock,
  });
  log.info({ version, node: process.version, server: server.url.origin, source }, 'starting');
  const onRequest = (verb: string, code: string): void => metrics.apiRequests.inc({ verb, code });
  return () => new KubeClient({ server, credentials, version, clock, onRequest });
}

function electionOf({ election }: Config, client: KubeClient, log: Log): Election {
  const { namespace, name, identity, leaseDurationSeconds: leaseSeconds } = election;
  if (!election.enabled) return unopposed;
  return new Elector({
    client,
    namespace,
    name,
    leaseSeconds,
    identity: identity || newIdentity(hostname()),
    clock,
    log,
  });
}

/** git takes its certificates from one file, and those of a proxy from another. */
function gitTrust(file: string): Readonly<Record<string, string>> {
  return { GIT_SSL_CAINFO: file, GIT_PROXY_SSL_CAINFO: file };
}

function fail(error: unknown): void {
  process.stderr.write(`kube-git: ${messageOf(error)}\n`);
  process.exit(1);
}
