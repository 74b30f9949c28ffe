// Repositories by their URLs: which spellings mean the same one. Called wherever a URL is compared or taken apart.
// Pure text: must not know of the network, of GitHooks or of any forge's API.

/** Longer URLs are nobody's: the CRD allows 1024 characters, forges send fewer than 300. */
const maxUrlLength = 2048;

/** Forges that also answer ssh on port 443, on a host of another name (from their documentation). */
const hostAliases: ReadonlyMap<string, string> = new Map([
  ['ssh.github.com', 'github.com'],
  ['altssh.gitlab.com', 'gitlab.com'],
  ['altssh.bitbucket.org', 'bitbucket.org'],
]);

const schemes: ReadonlySet<string> = new Set(['http', 'https', 'ssh', 'git']);

interface Parts {
  readonly host: string;
  /** Segments of the path, as written, the last without .git. Never empty. */
  readonly path: readonly string[];
}

/**
 * The name under which all spellings of a repository's URL agree: host/path in lower case, without scheme, user, port,
 * .git and surrounding slashes. Ports are dropped because one host is one forge, whose ssh and https ports differ; the
 * path is folded because all common forges fold it. Undefined for anything but http(s), ssh and git URLs and
 * user@host:path. Never throws.
 */
export function canonicalRepository(url: string): string | undefined {
  const parts = split(url);
  if (parts === undefined) return undefined;
  return [parts.host, ...parts.path].join('/').toLowerCase();
}

/** The canonical repository of a GitHook. One that is stored since before the schema asked for a URL has none. */
export function repositoryOf({ spec }: { readonly spec?: { readonly repository?: unknown } }): string | undefined {
  return typeof spec?.repository === 'string' ? canonicalRepository(spec.repository) : undefined;
}

/** The last two segments of the path, as they are written: what the APIs of forges call owner and repository. */
export function ownerAndName(url: string): { readonly owner: string; readonly name: string } | undefined {
  const [owner, name] = split(url)?.path.slice(-2) ?? [];
  return owner === undefined || name === undefined ? undefined : { owner, name };
}

function split(url: string): Parts | undefined {
  if (url.length > maxUrlLength || /[\s\p{Cc}?#\\]/u.test(url)) return undefined;
  const mark = url.indexOf('://');
  return mark === -1 ? splitScp(url) : splitUrl(url.slice(0, mark), url.slice(mark + 3));
}

function splitUrl(scheme: string, rest: string): Parts | undefined {
  const slash = rest.indexOf('/');
  if (slash === -1 || !schemes.has(scheme.toLowerCase())) return undefined;
  const authority = rest.slice(0, slash);
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
  return join(host, decoded(rest.slice(slash)));
}

/** user@host:path, as scp and git write it; git does not decode percent signs in it. */
function splitScp(url: string): Parts | undefined {
  const found = /^[A-Za-z0-9_][A-Za-z0-9._-]*@(\[[^\]]*\]|[^:/@]*):(.*)$/.exec(url);
  return found === null ? undefined : join(found[1] ?? '', found[2] ?? '');
}

function join(writtenHost: string, path: string | undefined): Parts | undefined {
  const host = writtenHost.toLowerCase().replace(/\.$/, '');
  if (path === undefined || !/^(?:[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])$/.test(host)) return undefined;
  const segments = path.split('/').filter((segment) => segment !== '');
  const last = segments.pop()?.replace(/\.git$/i, '');
  const whole = last === undefined ? [] : [...segments, last];
  if (whole.length === 0 || whole.some((segment) => ['', '.', '..'].includes(segment))) return undefined;
  return { host: hostAliases.get(host) ?? host, path: whole };
}

/** Decoded once, never again: what is then still written with percent signs is part of the name. */
function decoded(path: string): string | undefined {
  try {
    const text = decodeURIComponent(path);
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
