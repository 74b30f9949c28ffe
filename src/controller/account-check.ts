// Whether kube-git may act for a GitHook at all, so that its status says so before the first push. Called by githook.ts.
// Asked once for each account of a namespace, however many GitHooks it has, and then rarely.
import type { GitHook } from '../api/githook.ts';
import { keyOf } from '../api/object.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { ApiError, type Kube, type ResourceType, type StoredObject } from '../kube/kube.ts';
import { resourceKinds } from '../resource/registry.ts';
import { typeOf } from './child.ts';
import type { Problem } from './githook-status.ts';
import { accountIn, actingFor, remedy } from './permission.ts';

export interface AccountCheckOptions {
  readonly kube: Kube;
  readonly clock: Clock;
  /** Of GitHooks that name none; empty is kube-git itself. */
  readonly defaultAccount: string;
}

export interface AccountAnswer {
  /** What is missing, with the command that helps; undefined where nothing is. */
  readonly problem: Problem | undefined;
  /** When to look again. */
  readonly againMs: number;
}

interface Known {
  readonly problem: Problem | undefined;
  /** Since when there is (no) problem, and until when that is believed, on the clock that never goes back. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** A right is seldom taken back, and a push finds out anyway. */
const allowedForMs = 10 * 60_000;
/** A missing right is looked for soon, because a person is at it; then after half the time it has been missing. */
const missingForMs = { least: 5_000, most: 5 * 60_000 };
/** More accounts than a cluster has namespaces; a GitHook can name a new one with every change. */
const mostKnown = 10_000;

const reviewType: ResourceType = { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews' };

interface Review extends StoredObject {
  readonly status?: { readonly allowed?: boolean };
}

export class AccountCheck {
  readonly #options: AccountCheckOptions;
  /** By namespace/account. */
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known>>();

  constructor(options: AccountCheckOptions) {
    this.#options = options;
  }

  /** What is known of the GitHook's account, asked anew where that is old. Throws what is to be tried again. */
  async look(gitHook: GitHook, signal: AbortSignal): Promise<AccountAnswer> {
    const { clock, defaultAccount } = this.#options;
    const key = `${keyOf(gitHook).namespace}/${gitHook.spec.serviceAccountName || defaultAccount}`;
    const known = this.#known.get(key);
    const fresh =
      known !== undefined && known.untilMs > clock.monotonic() ? known : await this.#once(key, gitHook, signal);
    return { problem: fresh.problem, againMs: Math.max(0, fresh.untilMs - clock.monotonic()) };
  }

  /** One question at a time about an account: those who come meanwhile share the answer. */
  #once(key: string, gitHook: GitHook, signal: AbortSignal): Promise<Known> {
    const asking = this.#asking.get(key) ?? this.#ask(key, gitHook, signal).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(key: string, gitHook: GitHook, signal: AbortSignal): Promise<Known> {
    const problem = await this.#problemOf(gitHook, signal);
    const nowMs = this.#options.clock.monotonic();
    const before = this.#known.get(key);
    const sinceMs = before?.problem && problem ? before.sinceMs : nowMs;
    const { least, most } = missingForMs;
    const forMs = problem ? Math.min(most, Math.max(least, (nowMs - sinceMs) / 2)) : allowedForMs;
    const known = { problem, sinceMs, untilMs: nowMs + forMs };
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }

  async #problemOf(gitHook: GitHook, signal: AbortSignal): Promise<Problem | undefined> {
    const { kube, defaultAccount } = this.#options;
    const { namespace } = keyOf(gitHook);
    try {
      const acting = actingFor(gitHook, kube, defaultAccount);
      for (const kind of resourceKinds) {
        if (await mayCreate(acting, typeOf(kind), namespace, signal)) return undefined;
      }
      return cannotCreate(gitHook.spec.serviceAccountName || defaultAccount, namespace);
    } catch (error) {
      if (error instanceof TerminalError) return { reason: error.reason, message: error.message };
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      // Another refusal than this one says nothing of what the account may do to Jobs.
      return / cannot impersonate /.test(error.message) ? cannotImpersonate(error.message, namespace) : undefined;
    }
  }
}

/** Every authenticated user may ask about itself (ClusterRole system:basic-user). */
async function mayCreate(kube: Kube, type: ResourceType, namespace: string, signal: AbortSignal): Promise<boolean> {
  const { group, plural: resource } = type;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: { resourceAttributes: { namespace, group, resource, verb: 'create' } },
  };
  return (await kube.create<Review>(reviewType, review, { signal })).status?.allowed === true;
}

function cannotCreate(account: string, namespace: string): Problem {
  const who = account === '' ? 'kube-git itself' : `ServiceAccount "${account}"`;
  const kinds = resourceKinds.map(({ title }) => `${title}s`).join(' or ');
  const what = remedy(`system:serviceaccount:${namespace}:${account}"`, namespace);
  return { reason: 'NoPermission', message: `${who} may not create ${kinds} in namespace "${namespace}". ${what}.` };
}

function cannotImpersonate(message: string, namespace: string): Problem {
  return {
    reason: 'NoPermission',
    message: `${accountIn(message)} may not act for namespace "${namespace}": ${message}. ${remedy(message, namespace)}.`,
  };
}
