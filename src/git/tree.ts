// Finds a file in the tree of a commit without a checkout, and says what is there instead when it is no plain file.
// Called by the manifest source once the commit is fetched. Never follows a symbolic link.
import { TerminalError } from '../errors.ts';
import { quoted } from './quoted.ts';
import type { Session } from './session.ts';
import type { Wanted } from './validate.ts';

interface Entry {
  readonly mode: string;
  readonly id: string;
  readonly name: string;
}

const modes = { folder: '040000', symlink: '120000', submodule: '160000' };
const plainModes: readonly string[] = ['100644', '100755'];
const listingBytes = 1024 * 1024; // about 15,000 names: enough to look for a similar one

/** The object id of the wanted file. Throws TerminalError (ManifestNotFound, Symlink, NotAFile, CommitNotFound). */
export async function findFile(session: Session, wanted: Wanted): Promise<string> {
  const entry = await findEntry(session, wanted.commit, wanted.path);
  if (entry === undefined) throw await explainMissing(session, wanted);
  if (plainModes.includes(entry.mode)) return entry.id;
  throw explainKind(entry.mode, wanted);
}

async function findEntry(session: Session, treeish: string, path: string): Promise<Entry | undefined> {
  const result = await session.local(['ls-tree', '-z', '--full-tree', treeish, '--', path]);
  if (result.code !== 0) {
    throw new TerminalError(
      'CommitNotFound',
      `${treeish} is no commit with files in it: ${result.words.trim().slice(0, 200)}`,
    );
  }
  return parseListing(result.output.toString('utf8'))[0];
}

/** `<mode> <type> <id>\t<name>\0` each; a last one that is cut off is left out. */
function parseListing(text: string): Entry[] {
  return [...text.matchAll(/(\d{6}) \w+ ([0-9a-f]+)\t([^\0]*)\0/g)].map(([, mode = '', id = '', name = '']) => ({
    mode,
    id,
    name,
  }));
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
async function explainMissing(session: Session, wanted: Wanted): Promise<TerminalError> {
  const parts = wanted.path.split('/');
  let tree = wanted.commit;
  for (const [depth, part] of parts.entries()) {
    const entry = await findEntry(session, tree, part);
    const parent = parts.slice(0, depth).join('/');
    if (entry === undefined) return notFound(wanted, similarTo(parts, depth, await listing(session, tree)), parent);
    if (entry.mode !== modes.folder) return explainParent(wanted, parts.slice(0, depth + 1).join('/'), entry.mode);
    tree = entry.id;
  }
  return notFound(wanted, undefined, '');
}

async function listing(session: Session, tree: string): Promise<Entry[]> {
  const result = await session.local(['ls-tree', '-z', '--full-tree', tree], { outputBytes: listingBytes });
  return parseListing(result.output.toString('utf8'));
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
