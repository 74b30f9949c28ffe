// What entries of every type have in common: reading their fields, for whom they may be used, and the link they give.
// Called by the types; must not know what they send.
import * as v from 'valibot';
import { canonicalRepository } from '../api/repository.ts';
import { TerminalError } from '../errors.ts';
import { oneLine } from '../text.ts';
import type { Report } from './notifier.ts';

/** Text that may be missing, as an empty field or an empty value; white space around it is never meant. */
export const optionalText = v.pipe(v.nullish(v.string('must be a string'), ''), v.trim());
export const requiredText = v.pipe(optionalText, v.nonEmpty('is missing'));

const httpUrl = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === '' && url.password === '';
};
const urlWords = 'must be an http or https URL without user and password';

/** An address that is called. */
export const requiredUrl = v.pipe(requiredText, v.check(httpUrl, urlWords));
export const urlOr = (fallback: string) =>
  v.pipe(
    optionalText,
    v.transform((text) => text || fallback),
    v.check(httpUrl, urlWords),
  );
/** A link to show, in which ${NAMESPACE} and ${NAME} stand for the resource's. */
const link = v.pipe(
  optionalText,
  v.check((text) => text === '' || httpUrl(fill(text, 'namespace', 'name')), urlWords),
);
/** Written as host/path, because one repository has many URLs. */
const repositoryPattern = v.pipe(
  v.string('must be a string'),
  v.check(
    (text) => !/:\/\/|@|\.git$/.test(text),
    'must be host/owner/name with * for any text, such as github.com/acme/*',
  ),
);

/** The fields of every entry: `url` is the link, the lists say for whom it may be used. Missing is all, empty is nobody; a list with nothing after its name is refused, because it could mean either. */
export const commonFields = {
  url: link,
  namespaces: v.optional(v.array(v.string('must be a string'), 'must be a list')),
  repositories: v.optional(v.array(repositoryPattern, 'must be a list')),
};

export interface CommonConfig {
  readonly url: string;
  readonly namespaces?: readonly string[] | undefined;
  readonly repositories?: readonly string[] | undefined;
}

/** Reads an entry by its schema. Throws an Error such as "github.ci.token must be a string"; none holds a value of the file. */
export function parseEntry<const T extends v.GenericSchema>(schema: T, entry: unknown, at: string): v.InferOutput<T> {
  const result = v.safeParse(schema, entry, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  throw new Error(`${at}${path.join('')} ${issue.message}`);
}

/** Throws TerminalError NotAllowed where the entry is not for this GitHook; `entry` is its full name, such as slack.ci. */
export function checkAllowed(
  entry: string,
  config: CommonConfig,
  report: Pick<Report, 'namespace' | 'repository'>,
): void {
  const refuse = (field: string, value: string): never => {
    throw new TerminalError(
      'NotAllowed',
      `notification entry ${entry} is not for ${value}: add it to ${field} of ${entry} in kube-git's notification file, or name another entry in the GitHook's spec.notification`,
    );
  };
  if (!isAmong(config.namespaces, report.namespace)) refuse('namespaces', `namespace ${report.namespace}`);
  const repository = canonicalRepository(report.repository) ?? '';
  if (!isAmong(config.repositories, repository)) refuse('repositories', `repository ${oneLine(repository, 200)}`);
}

function isAmong(patterns: readonly string[] | undefined, value: string): boolean {
  return !patterns || patterns.some((pattern) => fits(pattern.toLowerCase(), value));
}

/** The entry's link for the report's resource; undefined while there is none to show. */
export function linkOf(config: CommonConfig, report: Report): string | undefined {
  if (config.url === '' || !report.resource) return undefined;
  return fill(config.url, encodeURIComponent(report.namespace), encodeURIComponent(report.resource.name));
}

function fill(url: string, namespace: string, name: string): string {
  // Functions, because a replacement's $& would be read as a command.
  return url.replaceAll('${NAMESPACE}', () => namespace).replaceAll('${NAME}', () => name);
}

/** Whether `*` for any text makes the pattern the value. Never backtracks: pieces are looked for from left to right, the last at the end. */
function fits(pattern: string, value: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === value;
  const last = rest.pop() ?? '';
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = value.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}
