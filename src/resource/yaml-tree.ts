// A YAML document as it is built: values that know what they cost, so that an alias can be refused before it is written out.
// Used by yaml.ts only.

/** A value with its cost: `size` in characters of JSON, aliases written out; `depth` in levels of lists and mappings. */
export type Node = { readonly size: number; readonly depth: number } & (
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'mapping'; readonly pairs: ReadonlyMap<string, Node> }
);

/** The quotes, colon and comma JSON puts around a value or a key. */
const punctuation = 3;

export function scalarNode(value: string | number | boolean | null): Node {
  return { kind: 'scalar', value, size: String(value).length + punctuation, depth: 0 };
}

export function listNode(items: readonly Node[]): Node {
  return { kind: 'list', items, size: sum(items, ({ size }) => size), depth: 1 + deepest(items) };
}

export function mappingNode(pairs: ReadonlyMap<string, Node>): Node {
  const size = sum(pairs, ([key, node]) => key.length + punctuation + node.size);
  return { kind: 'mapping', pairs, size, depth: 1 + deepest(pairs.values()) };
}

/** Plain JSON data. What an alias repeats is a value of its own in each place. */
export function toJson(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toJson);
  return Object.fromEntries(Array.from(node.pairs, ([key, value]) => [key, toJson(value)]));
}

function sum<T>(parts: Iterable<T>, sizeOf: (part: T) => number): number {
  let size = punctuation;
  for (const part of parts) size += sizeOf(part);
  return size;
}

function deepest(nodes: Iterable<Node>): number {
  let depth = 0;
  for (const node of nodes) depth = Math.max(depth, node.depth);
  return depth;
}
