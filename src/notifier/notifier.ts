// A notifier tells one sink (a commit status, a channel) how a run stands. Called by the controller, which decides
// what is to be told, remembers what was, and tries again; a notifier only says it once.
import type { HttpGet, HttpPost } from '../http.ts';
import type { DeliveryLog } from './delivery-log.ts';

/** How a run stands, in the words of those who are told. */
export type ReportState =
  /** The resource was created. */
  | 'Started'
  /** It completed. */
  | 'Succeeded'
  /** It failed, or vanished. */
  | 'Failed'
  /** It could not be created; or the run was cancelled, which is then the reason. */
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
   * InvalidRepository, WrongHost, NotAllowed) where trying again cannot help before a person changes something;
   * WaitingError (SinkUnreachable, SinkUnavailable, RateLimited), with retryAfterMs where the sink asked for it, where it may.
   * After an error the sink may have been told all the same.
   */
  send(report: Report, signal: AbortSignal): Promise<void>;
}

/** A kind of sink: one row of the registry. */
export interface NotifierType {
  /** The section of the notification file and the field of spec.notification: github, slack. */
  readonly type: string;
  /** The fields an entry may have; others are warned of. */
  readonly fields: readonly string[];
  /** Reads one entry, ignoring unknown fields. `name` is its full name (github.ci). Throws an Error that begins with it, says which field is wrong and holds no value. */
  parse(entry: unknown, name: string): NotifierEntry;
}

/** An entry of the notification file that was read. */
export interface NotifierEntry {
  /** Everything it says, defaults filled in: equal settings are the same entry. */
  readonly settings: object;
  /** What must never be logged or told. */
  readonly secrets: readonly string[];
  connect(http: HttpPost): Notifier;
  /** The forge's log of deliveries, where it keeps one and this entry may lead to it. */
  readonly openLog?: (http: HttpGet) => DeliveryLog;
}
