// Finds a file in the tree of a commit without a checkout, and says what is there instead when it is no plain file.
// Called by the ways of the manifest source, each with trees of its own. Never follows a symbolic link.
import { TerminalError } from '../errors.ts';
import { quoted } from './quoted.ts';
import type { Wanted } from './validate.ts';

export interface Entry {
  /** Six octal digits. */
  readonly mode: string;
  readonly id: string;
  readonly name: string;
}

/** The folders of one commit. A treeish is the commit's id or a tree's. */
export interface Trees {
  /** What lies at a path; undefined where there is nothing, or where a part of the path is no folder. */
  find(treeish: string, path: string): Promise<Entry | undefined>;
  /** What lies in it; of very many perhaps only the first. */
  list(treeish: string): Promise<readonly Entry[]>;
}

const modes = { folder: '040000', symlink: '120000', submodule: '160000' };
const plainModes: readonly string[] = ['100644', '100755'];

/** The object id of the wanted file. Throws TerminalError (ManifestNotFound, Symlink, NotAFile) and what the trees throw. */
export async function findFile(trees: Trees, wanted: Wanted): Promise<string> {
  const entry = await trees.find(wanted.commit, wanted.path);
  if (entry === undefined) throw await explainMissing(trees, wanted);
  if (plainModes.includes(entry.mode)) return entry.id;
  throw explainKind(entry.mode, wanted);
}

function explainKind(mode: string, wanted: Wanted): TerminalError {
  const place = placeOf(wanted, wanted.path);
  if (mode === modes.symlink)
    return symlink(place, 'commit the file itself there, or write the path it points to in spec.manifest');
  if (mode === modes.submodule) {
    return new TerminalError(
      'NotAFile',
      `${place} is a submodule: kube-git reads files of the repository itself, so commit the manifest there`,
    );
  }
  if (mode === modes.folder) {
    return new TerminalError('NotAFile', `${place} is a folder: write the path of the manifest in it in spec.manifest`);
  }
  return new TerminalError('NotAFile', `${place} is no plain file (mode ${mode})`);
}

function symlink(place: string, advice: string): TerminalError {
  return new TerminalError('Symlink', `${place} is a symbolic link, and kube-git does not follow links: ${advice}`);
}

function placeOf(wanted: Wanted, path: string): string {
  return `${quoted(path)} at commit ${wanted.commit.slice(0, 12)}`;
}

/** Walks down from the root to the first part that is not there, or that is no folder. */
async function explainMissing(trees: Trees, wanted: Wanted): Promise<TerminalError> {
  const parts = wanted.path.split('/');
  let tree = wanted.commit;
  for (const [depth, part] of parts.entries()) {
    const entry = await trees.find(tree, part);
    const parent = parts.slice(0, depth).join('/');
    if (entry === undefined) return notFound(wanted, similarTo(parts, depth, await trees.list(tree)), parent);
    if (entry.mode !== modes.folder) return explainParent(wanted, parts.slice(0, depth + 1).join('/'), entry.mode);
    tree = entry.id;
  }
  return notFound(wanted, undefined, '');
}

function explainParent(wanted: Wanted, path: string, mode: string): TerminalError {
  const place = placeOf(wanted, path);
  if (mode === modes.symlink) return symlink(place, 'write the real path of the manifest in spec.manifest');
  if (mode === modes.submodule) {
    return new TerminalError(
      'NotAFile',
      `${place} is a submodule: kube-git reads files of the repository itself, so commit the manifest there`,
    );
  }
  return new TerminalError(
    'ManifestNotFound',
    `there is no ${quoted(wanted.path)}: ${place} is a file, not a folder. Correct spec.manifest`,
  );
}

function notFound(wanted: Wanted, similar: string | undefined, parent: string): TerminalError {
  const hint =
    similar === undefined ? '' : ` There is ${quoted(similar)}${parent === '' ? '' : ` in ${quoted(parent)}`}.`;
  return new TerminalError(
    'ManifestNotFound',
    `there is no ${placeOf(wanted, wanted.path)} of ${wanted.url}.${hint} Commit the file, or correct spec.manifest`,
  );
}

/** A name beside the missing part that differs only in case or in .yml and .yaml. */
function similarTo(parts: readonly string[], depth: number, entries: readonly Entry[]): string | undefined {
  const isFile = depth === parts.length - 1;
  const plain = (name: string) => name.toLowerCase().replace(isFile ? /\.ya?ml$/ : /$^/, '.yaml');
  const missing = plain(parts[depth] ?? '');
  const fits = (entry: Entry) => (isFile ? plainModes.includes(entry.mode) : entry.mode === modes.folder);
  return entries.find((entry) => fits(entry) && plain(entry.name) === missing)?.name;
}
