// Reads a file by stepping from object to object: the commit, each tree on the way, the blob, every one by its id. What was
// read before is not asked for again. The first way of the manifest source; see docs/adr/0005.
import { createHash } from 'node:crypto';
import { type AgentOptions, createAgents } from '../../http-agents.ts';
import { contentOf, manifestTooLarge } from '../content.ts';
import type { Credentials } from '../git.ts';
import { objectFormatOf } from '../session.ts';
import { type Entry, findFile, type Trees } from '../tree.ts';
import type { Read, Way } from '../way.ts';
import type { Asker } from './asker.ts';
import { ObjectCache } from './cache.ts';
import { entriesOf, taggedBy, treeOf } from './objects.ts';
import { overHttp } from './over-http.ts';
import { overSsh } from './over-ssh.ts';
import { type GitObject, ObjectTooLarge } from './pack.ts';
import { Shared } from './shared.ts';
import { Unusable } from './unusable.ts';

export interface DirectOptions extends Omit<AgentOptions, 'environment'> {
  /** Such as kube-git/2.0.0. */
  readonly userAgent: string;
}

const mebibyte = 1024 * 1024;
const cacheBytes = 16 * mebibyte; // the trees and manifests of some thousand repositories
const treeBytes = 16 * mebibyte; // about 300,000 names in one folder; for more there is the git program
const longestTagChain = 5;

/** Where an object is to be had: from the cache, else from the server. */
type Get = (id: string, how: { readonly alone: boolean; readonly maxBytes: number }) => Promise<GitObject>;

/** The way; its connections and what it has read are kept for as long as it is. */
export function createDirectWay(
  options: DirectOptions,
  { clock, environment }: Pick<Read['source'], 'clock' | 'environment'>,
): Way {
  const agentFor = createAgents({ ca: options.ca, environment });
  const kept: Kept = { cache: new ObjectCache({ maxBytes: cacheBytes, clock }), shared: new Shared<GitObject>() };
  const askerFor = (read: Read): Asker =>
    read.wanted.scheme === 'ssh' ? overSsh(read) : overHttp(read, { agentFor, userAgent: options.userAgent });
  return {
    name: 'objects',
    fits: () => true,
    read: async (read) => {
      const asker = askerFor(read);
      try {
        return { text: await readFile(read, getter(read, asker, kept)) };
      } catch (error) {
        if (error instanceof Unusable) return { refused: error.isPassing ? 'thisTime' : 'asARule' };
        throw error;
      } finally {
        await asker.close();
      }
    },
  };
}

/** What all reads share. */
interface Kept {
  readonly cache: ObjectCache;
  readonly shared: Shared<GitObject>;
}

function getter({ wanted, credentials, signal }: Read, asker: Asker, { cache, shared }: Kept): Get {
  const place = `${wanted.url} ${digestOf(credentials)}`;
  const fetch = async (id: string, alone: boolean, maxBytes: number): Promise<GitObject> => {
    const found = await asker.ask({ ids: [id], format: objectFormatOf(id), alone }, maxBytes);
    const object = found.get(id);
    if (object === undefined) throw new Unusable('another object than the one that was asked for');
    for (const [each, other] of found) cache.set(`${place} ${each}`, other);
    return object;
  };
  return async (id, { alone, maxBytes }) => {
    const key = `${place} ${id}`;
    return cache.get(key) ?? shared.run(key, () => fetch(id, alone, maxBytes), signal);
  };
}

/** What one reader has read is not another's: everything that proves who reads counts. */
function digestOf({ username = '', password = '', sshPrivateKey = '', knownHosts = '' }: Credentials): string {
  return createHash('sha256')
    .update(JSON.stringify([username, password, sshPrivateKey, knownHosts]))
    .digest('base64');
}

async function readFile({ wanted, source }: Read, get: Get): Promise<string> {
  const root = treeOf(await readCommit(wanted.commit, get));
  const entry = await findFile(treesOf(wanted.commit, root, get), wanted);
  const { fileBytes } = source.limits;
  try {
    const { type, content } = await get(entry, { alone: false, maxBytes: fileBytes });
    if (type !== 'blob') throw new Unusable('a file that is no blob');
    return contentOf(content, wanted);
  } catch (error) {
    throw error instanceof ObjectTooLarge ? manifestTooLarge(wanted, fileBytes) : error;
  }
}

/** The commit itself, or the one that an annotated tag stands for. */
async function readCommit(id: string, get: Get): Promise<GitObject> {
  let next = id;
  for (let step = 0; step <= longestTagChain; step++) {
    const object = await getStructure(next, get);
    if (object.type === 'commit') return object;
    if (object.type !== 'tag') break;
    next = taggedBy(object);
  }
  throw new Unusable('no commit');
}

/** A commit, tag or tree. One that is too large for here may still be read by the git program. */
async function getStructure(id: string, get: Get): Promise<GitObject> {
  try {
    return await get(id, { alone: true, maxBytes: treeBytes });
  } catch (error) {
    throw error instanceof ObjectTooLarge ? new Unusable(error.message) : error;
  }
}

function treesOf(commit: string, root: string, get: Get): Trees {
  const list = async (treeish: string): Promise<readonly Entry[]> => {
    const tree = await getStructure(treeish === commit ? root : treeish, get);
    if (tree.type !== 'tree') throw new Unusable('a folder that is no tree');
    return entriesOf(tree, objectFormatOf(commit));
  };
  const find = async (treeish: string, path: string): Promise<Entry | undefined> => {
    const [name = '', ...rest] = path.split('/');
    const entry = (await list(treeish)).find((one) => one.name === name);
    if (rest.length === 0 || entry === undefined) return entry;
    return entry.mode === '040000' ? find(entry.id, rest.join('/')) : undefined;
  };
  return { find, list };
}
