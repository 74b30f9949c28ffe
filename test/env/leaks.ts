// Where a secret might show that must not: the arguments of processes, and the objects of a namespace. For tests.
import { readdir, readFile } from 'node:fs/promises';
import { api } from './cluster.ts';

/** The command lines of a process and of everything it has started, as /proc shows them now, arguments apart by spaces. */
export async function argumentsUnder(pid: number): Promise<readonly string[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    // pid (name) state ppid …, and the name may hold anything.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent > 0) parents.set(Number(name), parent);
  }
  const isUnder = (child: number | undefined): boolean =>
    child !== undefined && (child === pid || isUnder(parents.get(child)));
  const found = [...parents.keys()].filter(isUnder);
  const lines = await Promise.all(found.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' '));
}

export interface StoredObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** Every object of a namespace, of every type the API server has. */
export async function objectsIn(namespace: string): Promise<readonly StoredObject[]> {
  const { groups } = await api<{ groups: { preferredVersion: { groupVersion: string } }[] }>('GET', '/apis');
  const roots = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const found = await Promise.all(roots.map((root) => objectsOf(root, namespace)));
  return found.flat();
}

async function objectsOf(root: string, namespace: string): Promise<readonly StoredObject[]> {
  const { resources } = await api<{ resources: Resource[] }>('GET', root);
  const listed = resources.filter(({ namespaced, verbs }) => namespaced && verbs.includes('list'));
  const lists = await Promise.all(
    listed.map(async ({ name, kind }) => {
      const { items } = await api<{ items: StoredObject[] }>('GET', `${root}/namespaces/${namespace}/${name}`);
      return items.map((item) => ({ ...item, kind }));
    }),
  );
  return lists.flat();
}

/** All texts in an object, one a line and as they are: JSON would escape them. */
export function textsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, inner]) => `${key}\n${textsOf(inner)}`)
    .join('\n');
}
