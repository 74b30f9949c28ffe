// Which GitHooks share a forge's log of deliveries: those of one repository that name one entry of the notification file.
import type { GitHook } from '../../api/githook.ts';
import { formatKey, keyOf } from '../../api/object.ts';
import { canonicalRepository } from '../../api/repository.ts';

export class LogMembers {
  /** Keys of GitHooks by the key of their log. */
  readonly #members = new Map<string, Set<string>>();
  readonly #logOf = new Map<string, string>();

  /** Takes the GitHook in as it is now. Returns the key of its log; undefined where it names no entry. */
  set(gitHook: GitHook): string | undefined {
    this.remove(gitHook);
    const key = logKeyOf(gitHook);
    if (key === undefined) return undefined;
    const name = formatKey(keyOf(gitHook));
    this.#logOf.set(name, key);
    this.#members.set(key, (this.#members.get(key) ?? new Set()).add(name));
    return key;
  }

  remove(gitHook: GitHook): void {
    const name = formatKey(keyOf(gitHook));
    const key = this.#logOf.get(name) ?? '';
    this.#logOf.delete(name);
    this.#members.get(key)?.delete(name);
    if (this.#members.get(key)?.size === 0) this.#members.delete(key);
  }

  /** Keys of GitHooks. */
  of(logKey: string): readonly string[] {
    return [...(this.#members.get(logKey) ?? [])];
  }

  keys(): readonly string[] {
    return [...this.#members.keys()];
  }
}

/** No GitHook has a key like it: names begin with a letter or a digit. */
export function isLogKey(key: string): boolean {
  return key.startsWith('[');
}

/** The entry that a log's key names. */
export function entryOf(logKey: string): string {
  return String((JSON.parse(logKey) as readonly unknown[])[0]);
}

function logKeyOf({ spec }: GitHook): string | undefined {
  const entry = spec?.notification?.github;
  const repository = canonicalRepository(`${spec?.repository}`);
  return entry && repository !== undefined ? JSON.stringify([entry, repository]) : undefined;
}
