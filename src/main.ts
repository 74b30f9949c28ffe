// The program: reads its configuration, makes every part, hands each what it needs, and ends it in order.
// The only file that knows all.
import { tmpdir } from 'node:os';
import { systemClock as clock } from './clock.ts';
import { type Config, parseConfig, version } from './config.ts';
import { Controller } from './controller/controller.ts';
import { messageOf } from './errors.ts';
import { forges } from './forge/registry.ts';
import { createManifestSource } from './git/fetch.ts';
import { startHealth } from './health.ts';
import { createHttpPost } from './http.ts';
import { KubeClient } from './kube/client.ts';
import { loadKubeConfig } from './kube/kubeconfig.ts';
import { createRecorder } from './kube/recorder.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type NotificationFile, watchNotificationFile } from './notifier/file.ts';
import { createReceiver } from './receiver/server.ts';
import { untilStopped } from './stop.ts';

const start = parseConfig(process.argv.slice(2), process.env);
if (start.kind === 'run') await main(start.config).catch(fail);
else {
  (start.kind === 'print' ? process.stdout : process.stderr).write(start.text);
  process.exitCode = start.kind === 'print' ? 0 : 2;
}

async function main(config: Config): Promise<void> {
  const stop = new AbortController();
  const metrics = createMetrics();
  let entries: NotificationFile | undefined;
  const log = createLog(config.logLevel, () => [config.githubWebhookSecret, ...(entries?.secrets() ?? [])]);
  for (const warning of config.warnings) log.warn({ warning }, 'configuration');

  const client = await connect(config, metrics, log);
  const recorder = createRecorder({ kube: client, clock, log });
  const http = createHttpPost({ clock, userAgent: `kube-git/${version}` });
  const notifications = await watchNotificationFile({
    path: config.notificationConfigFile,
    isDefaultPath: config.notificationConfigFileIsDefault,
    ...{ http, clock, log, metrics },
    onChange: () => controller.entriesChanged(),
  });
  entries = notifications;
  const manifests = createManifestSource({ directory: tmpdir(), allowInsecureCredentials: config.allowInsecureCredentials, log });
  const { defaultServiceAccount, statusContext } = config;
  const controller = new Controller({ client, manifests, notifications, recorder, clock, log, metrics, defaultServiceAccount, statusContext });
  const secrets = webhookSecrets(config, metrics, log);
  const receiver = createReceiver({ forges, secrets, gitHooks: controller.gitHooks, kube: client, recorder, clock, log, metrics });

  const { signal } = stop;
  const waitingFor = (): string[] => [
    ...(signal.aborted ? ['kube-git is stopping'] : []),
    ...(controller.hasSynced() ? [] : ['the first list of GitHooks, runs and resources']),
  ];
  let leaving = false;
  const ready = (): string[] => (leaving ? ['kube-git is stopping'] : waitingFor());
  const health = await startHealth({ port: config.privatePort, address: config.bindAddress, metrics, ready });
  log.info({ port: health.port }, 'private server listening');
  const { port } = await receiver.listen(config.webhookPort, config.bindAddress || undefined);
  log.info({ port }, 'webhook server listening');

  const working = Promise.all([controller.run(signal), notifications.run(signal)]);
  await untilStopped({ clock, log, onLeaving: () => { leaving = true; } });
  await receiver.close();
  stop.abort();
  await working;
  await recorder.stop();
  await health.close();
  client.close();
  log.info({}, 'stopped');
}

async function connect(config: Config, metrics: Metrics, log: Log): Promise<KubeClient> {
  const { kubeconfig, master, context } = config;
  const found = await loadKubeConfig({ kubeconfig, master, context, env: process.env, clock });
  log.info({ version, node: process.version, server: found.server.url.origin, source: found.source }, 'starting');
  const onRequest = (verb: string, code: string): void => metrics.apiRequests.inc({ verb, code });
  return new KubeClient({ server: found.server, credentials: found.credentials, version, clock, onRequest });
}

/** The secrets of a forge's path; says so where there is none, because its webhooks are all refused then. */
function webhookSecrets(config: Config, metrics: Metrics, log: Log): (forge: string) => readonly string[] {
  const secrets: Readonly<Record<string, readonly string[]>> = { github: config.githubWebhookSecret ? [config.githubWebhookSecret] : [] };
  for (const { name } of forges) {
    const configured = (secrets[name] ?? []).length > 0;
    metrics.webhookSecretConfigured.set({ forge: name }, configured ? 1 : 0);
    if (!configured) log.warn({ path: `/${name}` }, 'no webhook secret: every webhook to this path is answered with 401; set GITHUB_WEBHOOK_SECRET');
  }
  return (forge) => secrets[forge] ?? [];
}

function fail(error: unknown): void {
  process.stderr.write(`kube-git: ${messageOf(error)}\n`);
  process.exit(1);
}
