// A notifier tells one sink (a commit status, a channel) how a run stands. Called by the controller, which decides
// what is to be told, remembers what was, and tries again; a notifier only says it once.

/** How a run stands, in the words of those who are told. */
export type ReportState =
  /** The resource was created. */
  | 'Started'
  /** It completed. */
  | 'Succeeded'
  /** It failed, or vanished. */
  | 'Failed'
  /** It could not be created: there is none. */
  | 'Error';

/** All a notifier may say. Every text is untrusted and must be escaped for its sink. */
export interface Report {
  readonly state: ReportState;
  /** namespace/name of the GitHook. */
  readonly gitHook: string;
  readonly namespace: string;
  readonly run: string;
  /** spec.repository, as written there. */
  readonly repository: string;
  readonly ref: string;
  readonly commit: string;
  readonly author: string;
  /** The context of the commit status. */
  readonly context: string;
  /** The created resource, by the title of its kind (Job, Argo Workflow); undefined while there is none. */
  readonly resource: { readonly title: string; readonly name: string } | undefined;
  readonly reason: string;
  readonly message: string;
}

export interface Notifier {
  /**
   * Tells once. Throws TerminalError (NotificationRefused, NotificationUnauthorized, NotificationNotFound,
   * InvalidRepository, WrongHost) where trying again cannot help before a person changes the entry; WaitingError
   * (SinkUnreachable, SinkUnavailable, RateLimited), with retryAfterMs where the sink asked for it, where it may.
   */
  send(report: Report, signal: AbortSignal): Promise<void>;
}

/** A kind of sink: one row of the registry. */
export interface NotifierType<Config> {
  /** The section of the notification file and the field of spec.notification: github, slack. */
  readonly type: string;
  /** Reads one entry; throws an Error that names the bad field. Unknown fields are ignored. */
  parse(entry: unknown): Config;
  create(config: Config, http: HttpPost): Notifier;
}

/** The one way out: see src/http.ts for limits and for how answers become errors. */
export type HttpPost = (request: {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json: unknown;
  readonly signal: AbortSignal;
}) => Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }>;
