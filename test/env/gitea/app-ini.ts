// Gitea's settings: sqlite, git over http and its own ssh server, deliveries to this machine, and nothing that calls the
// outside world or works on its own. Called by gitea.ts.
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { join } from 'node:path';

export interface AppOptions {
  /** For all its data. */
  readonly folder: string;
  /** The templates and options that belong to the program. */
  readonly files: string;
  /** Where both servers listen. */
  readonly address: string;
  readonly port: number;
  readonly sshPort: number;
  /** A private key. */
  readonly hostKey: string;
}

/** The text of app.ini. See custom/conf/app.example.ini in Gitea's repository for what each word means. */
export function appIni({ address, files, folder, hostKey, port, sshPort }: AppOptions): string {
  const sections: Record<string, Record<string, string | number | boolean>> = {
    server: {
      PROTOCOL: 'http',
      HTTP_ADDR: address,
      HTTP_PORT: port,
      DOMAIN: address,
      ROOT_URL: `http://${address}:${port}/`,
      STATIC_ROOT_PATH: files,
      START_SSH_SERVER: true,
      SSH_LISTEN_HOST: address,
      SSH_LISTEN_PORT: sshPort,
      SSH_DOMAIN: address,
      SSH_PORT: sshPort,
      SSH_USER: 'git',
      BUILTIN_SSH_SERVER_USER: 'git',
      SSH_SERVER_HOST_KEYS: hostKey,
      OFFLINE_MODE: true,
    },
    database: { DB_TYPE: 'sqlite3', PATH: databaseIn(folder) },
    security: { INSTALL_LOCK: true, SECRET_KEY: secret(), INTERNAL_TOKEN: secret() },
    oauth2: { ENABLED: false },
    // Pods' and the node's addresses are private ones.
    webhook: { ALLOWED_HOST_LIST: 'loopback,private', DELIVER_TIMEOUT: deliverySeconds },
    service: { DISABLE_REGISTRATION: true },
    session: { PROVIDER: 'memory' },
    indexer: { ISSUE_INDEXER_TYPE: 'db' },
    repository: { DEFAULT_BRANCH: 'main' },
    picture: { DISABLE_GRAVATAR: true },
    actions: { ENABLED: false },
    packages: { ENABLED: false },
    cron: { ENABLED: false },
    log: { MODE: 'console', LEVEL: 'Info' },
  };
  const top = {
    RUN_USER: userInfo().username,
    RUN_MODE: 'prod',
    WORK_PATH: folder,
    I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: true,
  };
  return [lines(top), ...Object.entries(sections).map(([name, keys]) => `[${name}]\n${lines(keys)}`)].join('\n');
}

/** The file of sqlite. `folder` as above. */
export function databaseIn(folder: string): string {
  return join(folder, 'gitea.db');
}

/** Longer than Gitea's 5 s: a machine busy with a build answers late, and Gitea sends a delivery once only. */
const deliverySeconds = 60;

function secret(): string {
  return randomBytes(32).toString('hex');
}

function lines(keys: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(keys)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}
