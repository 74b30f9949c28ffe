// What a Gitea keeps of its deliveries and of the answers to them: what its webhook's page shows. Its API has no words for
// it, so this reads its database. Called by gitea.ts.
import { DatabaseSync } from 'node:sqlite';

export interface GiteaDelivery {
  /** As in its X-Gitea-Delivery header. */
  readonly id: string;
  /** `push`, `create`, `delete`; a test is a push. */
  readonly event: string;
  /** The payload, parsed. */
  readonly payload: { readonly ref?: string; readonly before?: string; readonly after?: string };
  /** The body, parsed; undefined where there was no answer or no JSON in it. */
  readonly answer: unknown;
  /** Undefined where there was no answer. */
  readonly status: number | undefined;
}

/** The columns that are read here of Gitea's table (models/webhook/hooktask.go). */
interface HookTask {
  readonly uuid: string;
  readonly event_type: string;
  readonly payload_content: string;
  readonly response_content: string | null;
}

/** Gitea writes at the same time, for moments. */
const busyMs = 10_000;

/** Those of the webhook that are over, answered or not, oldest first. */
export function readDeliveries(database: string, webhook: number): readonly GiteaDelivery[] {
  const opened = new DatabaseSync(database, { readOnly: true, timeout: busyMs });
  try {
    const columns = 'uuid, event_type, payload_content, response_content';
    const query = `SELECT ${columns} FROM hook_task WHERE hook_id = ? AND is_delivered ORDER BY delivered`;
    return (opened.prepare(query).all(webhook) as unknown as HookTask[]).map(deliveryOf);
  } finally {
    opened.close();
  }
}

function deliveryOf(task: HookTask): GiteaDelivery {
  const { body = '', status } = task.response_content ? JSON.parse(task.response_content) : {};
  const payload = JSON.parse(task.payload_content);
  // Where nothing answered, Gitea keeps a status of 0.
  return { id: task.uuid, event: task.event_type, payload, answer: parsed(body), status: status || undefined };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
