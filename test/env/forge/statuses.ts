// GitHub's commit status API, as far as a notifier needs it. Called by the forge; knows nothing of http.
// Source: docs.github.com, "REST API endpoints for commit statuses".

/** A commit status as GitHub keeps and lists it. */
export interface CommitStatus {
  readonly id: number;
  /** owner/name */
  readonly repository: string;
  readonly sha: string;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly context: string;
  readonly description: string | null;
  readonly target_url: string | null;
  readonly created_at: string;
}

export interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const states: readonly string[] = ['error', 'failure', 'pending', 'success'];
const descriptionLimit = 140; // characters; GitHub answers 422 above
const statusLimit = 1000; // for one commit and context; GitHub answers 422 for ever after

export class CommitStatuses {
  readonly all: CommitStatus[] = [];
  readonly #onStatus: (status: CommitStatus) => void;
  readonly #now: () => number;

  constructor(options: { readonly now: () => number; readonly onStatus: (status: CommitStatus) => void }) {
    this.#now = options.now;
    this.#onStatus = options.onStatus;
  }

  /** Keeps a status: 201; or refuses it in GitHub's words: 422. `body` is the request's JSON. */
  create(repository: string, sha: string, body: unknown): Answer {
    const fields = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
    const context = text(fields['context']) ?? 'default';
    const problem = problemOf(fields) ?? this.#problemOfCount(repository, sha, context);
    if (problem !== undefined) return { status: 422, json: { message: 'Validation Failed', errors: [problem] } };
    const status: CommitStatus = {
      id: this.all.length + 1,
      repository,
      sha,
      state: fields['state'] as CommitStatus['state'],
      context,
      description: text(fields['description']) ?? null,
      target_url: text(fields['target_url']) ?? null,
      created_at: new Date(this.#now()).toISOString(),
    };
    this.all.push(status);
    this.#onStatus(status);
    return { status: 201, json: status };
  }

  /** Newest first, as GitHub lists them. */
  list(repository: string, sha: string): CommitStatus[] {
    return this.all.filter((status) => status.repository === repository && status.sha === sha).reverse();
  }

  #problemOfCount(repository: string, sha: string, context: string): Problem | undefined {
    const count = this.list(repository, sha).filter((status) => status.context === context).length;
    if (count < statusLimit) return undefined;
    return problem('base', 'This SHA and context has reached the maximum number of statuses.');
  }
}

interface Problem {
  readonly resource: 'Status';
  readonly code: 'custom';
  readonly field: string;
  readonly message: string;
}

function problemOf(fields: Readonly<Record<string, unknown>>): Problem | undefined {
  const { state, description, target_url: target } = fields;
  if (typeof state !== 'string' || !states.includes(state))
    return problem('state', 'state is not included in the list');
  if ([...(text(description) ?? '')].length > descriptionLimit)
    return problem('description', 'description is too long (maximum is 140 characters)');
  if (text(target) && !/^https?:\/\//.test(text(target) ?? ''))
    return problem('target_url', 'target_url must use http(s) scheme');
  return undefined;
}

function problem(field: string, message: string): Problem {
  return { resource: 'Status', code: 'custom', field, message };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
