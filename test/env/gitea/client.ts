// What tests ask of a running Gitea: its REST API as its admin, and the one thing only its web pages can do.
export interface GiteaAccess {
  /** http://address:port, no slash at the end. */
  readonly url: string;
  /** The admin: owner of the repositories. */
  readonly username: string;
  readonly password: string;
  /** Of the admin, with all rights: for the API, and as a password for git over http. */
  readonly token: string;
}

export interface GiteaRepository {
  /** owner/name */
  readonly name: string;
  /** Without credentials. */
  readonly httpUrl: string;
  /** ssh://git@address:port/owner/name.git */
  readonly sshUrl: string;
}

export interface WebhookOptions {
  readonly url: string;
  readonly secret: string;
  readonly contentType: 'json' | 'form';
  /** The form of its payloads and headers. Default `gitea`. */
  readonly type?: 'gitea' | 'gogs' | 'slack';
  /** Default: pushes, and branches and tags that come and go. */
  readonly events?: readonly string[];
}

export interface CommitStatus {
  readonly context: string;
  readonly status: string;
  readonly description: string;
  readonly target_url: string;
}

/** An answer of 400 or more. */
export class GiteaError extends Error {
  override readonly name = 'GiteaError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Longer than any answer takes on a machine busy with a build. */
const timeoutMs = 60_000;

export class GiteaClient implements GiteaAccess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;

  constructor({ url, username, password, token }: GiteaAccess) {
    this.url = url;
    this.username = username;
    this.password = password;
    this.token = token;
  }

  // The caller names the answer's shape, and nothing checks it.
  /** One request to the API; `path` is what follows /api/v1. The answer parsed, undefined where it is empty. Throws GiteaError. */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `token ${this.token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
    throw new GiteaError(response.status, `${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  }

  /** An empty repository of the admin. */
  async createRepository(name: string, options: { readonly private?: boolean } = {}): Promise<GiteaRepository> {
    const created = await this.api<{ full_name: string; clone_url: string; ssh_url: string }>('POST', '/user/repos', {
      name,
      private: options.private ?? false,
      default_branch: 'main',
    });
    return { name: created.full_name, httpUrl: created.clone_url, sshUrl: created.ssh_url };
  }

  /** Returns its id. */
  async addWebhook(repository: string, { contentType, events, secret, type, url }: WebhookOptions): Promise<number> {
    const { id } = await this.api<{ id: number }>('POST', `/repos/${repository}/hooks`, {
      active: true,
      type: type ?? 'gitea',
      events: events ?? ['push', 'create', 'delete'],
      config: { url, secret, content_type: contentType },
    });
    return id;
  }

  /** For one repository. `publicKey` as in a .pub file. */
  async addDeployKey(
    repository: string,
    publicKey: string,
    options: { readonly mayPush?: boolean } = {},
  ): Promise<void> {
    const body = { title: title(publicKey), key: publicKey, read_only: options.mayPush !== true };
    await this.api('POST', `/repos/${repository}/keys`, body);
  }

  /** For all that the admin may see. */
  async addUserKey(publicKey: string): Promise<void> {
    await this.api('POST', '/user/keys', { title: title(publicKey), key: publicKey });
  }

  /** Newest first; several of one context where it was told several times. */
  async statuses(repository: string, sha: string): Promise<readonly CommitStatus[]> {
    // Despite its name this puts the highest index first (CommitStatusOptions.ToOrders); the default order leaves those
    // of one second undecided.
    return this.api('GET', `/repos/${repository}/commits/${sha}/statuses?sort=leastindex&limit=50`);
  }

  /**
   * Sends a delivery again, as the button on the webhook's page does: there is no API for it. `delivery` is what its
   * X-Gitea-Delivery header said; Gitea gives the new one another, and the same payload.
   */
  async replay(repository: string, webhook: number, delivery: string): Promise<void> {
    const cookie = await this.#signIn();
    const path = `/${repository}/settings/hooks/${webhook}/replay/${delivery}`;
    await this.#post(path, { headers: { cookie } });
  }

  async #signIn(): Promise<string> {
    const body = new URLSearchParams({ user_name: this.username, password: this.password });
    const { headers } = await this.#post('/user/login', { body });
    const pairs = headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0] ?? '');
    // Two sessions of one name come back, the signed-in one last: as in a browser, the last one counts.
    const jar = new Map(pairs.map((pair) => [pair.split('=', 1)[0], pair]));
    return [...jar.values()].join('; ');
  }

  /** A form that a page would send. Gitea answers those it accepts by leading elsewhere, but not to the sign-in page. */
  async #post(path: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${this.url}${path}`, { method: 'POST', redirect: 'manual', signal, ...init });
    const to = response.headers.get('location') ?? '';
    if (response.status === 303 && !to.startsWith('/user/login')) return response;
    throw new GiteaError(response.status, `POST ${path}: ${response.status} ${to}`);
  }
}

/** Every key needs one; this one is as unique as the key. */
function title(publicKey: string): string {
  return publicKey.trim().slice(-60);
}
