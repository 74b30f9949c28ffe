// YAML text to plain JSON data, with the meaning kubectl gives it. js-yaml reads the syntax; the values are built here, so that
// tags, merges, aliases and sizes follow kubectl and every refusal knows its place. Called by manifest.ts only.
// Time and memory are bounded by the limits below, whatever the text: it comes from a repository, not from us.
import {
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
  YAMLException,
} from 'js-yaml';
import { isRefusal, resolvePlain, resolveTagged } from './scalar.ts';
import { type Indented, parseIndented } from './yaml-indentation.ts';
import { listNode, mappingNode, type Node, scalarNode, toJson } from './yaml-tree.ts';

/** Levels of nesting: a Job or a Workflow has about twenty. Keeps every recursion over the data shallow. */
const maxDepth = 100;

/** Characters of JSON once aliases are written out: etcd takes no request over 1.5 MiB, so no API server takes more. */
const maxWrittenOut = 1.5 * 1024 * 1024;

/** Keys copied by << in one text. They cost time and memory before a size is known; people merge a handful. */
const maxMergedKeys = 10_000;

const tooDeep = `it is nested more than ${maxDepth} levels deep; make it flatter`;

const secondDocument = 'a second document starts here; keep one, and give the other a file and a GitHook of its own';

/** Why a text cannot be read, as half a sentence. Line and column count from 1; undefined where no one place is at fault. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly place: { readonly line: number; readonly column: number } | undefined;

  constructor(message: string, place: YamlError['place'], options?: ErrorOptions) {
    super(message, options);
    this.place = place;
  }
}

/**
 * The one document of a text, as plain JSON data in the order of the text; null where there is none. Empty documents around it
 * do not count. Throws YamlError and nothing else.
 */
export function readYaml(text: string): unknown {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  return new Reader(parse(source)).onlyDocument();
}

function parse(source: string): Indented {
  try {
    return parseIndented(source, maxDepth);
  } catch (error) {
    if (!(error instanceof YAMLException))
      throw new YamlError('it cannot be read as YAML', undefined, { cause: error });
    const { mark, reason } = error;
    const place = mark && { line: mark.line + 1, column: mark.column + 1 };
    throw new YamlError(reason.includes('maxDepth') ? tooDeep : reason, place, { cause: error });
  }
}

type Tagged = ScalarEvent | SequenceEvent | MappingEvent;

class Reader {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #columnOf: Indented['columnOf'];
  #next = 0;
  /** Where the event that was taken last stands. */
  #offset = 0;
  #mergedKeys = 0;
  /** The values with an anchor, by its name; undefined while the value is still being read. */
  #anchors = new Map<string, Node | undefined>();

  constructor({ source, events, columnOf }: Indented) {
    this.#source = source;
    this.#events = events;
    this.#columnOf = columnOf;
  }

  onlyDocument(): unknown {
    let found: unknown = null;
    while (this.#next < this.#events.length) {
      const { value, start } = this.#document();
      if (found !== null && value !== null) throw this.#refuse(secondDocument, start);
      found ??= value;
    }
    return found;
  }

  #document(): { readonly value: unknown; readonly start: number } {
    const opening = this.#take();
    const redefines = opening.type === EVENT_ID.DOCUMENT && opening.directives.some(({ kind }) => kind === 'tag');
    if (redefines) throw this.#refuse('%TAG is not supported; remove it and write the tags out');
    this.#anchors = new Map();
    const content = this.#take();
    const start = this.#offset;
    const value = toJson(this.#node(content, 0));
    this.#take();
    return { value, start };
  }

  /** The next event; each list, mapping and document ends with a POP. */
  #take(): Event {
    const event = this.#events[this.#next];
    if (event === undefined) throw this.#refuse('it ends too early');
    this.#next += 1;
    this.#offset = Math.max(this.#offset, startOf(event));
    return event;
  }

  #node(event: Event, level: number): Node {
    if (event.type === EVENT_ID.ALIAS)
      return this.#alias(this.#source.slice(event.anchorStart, event.anchorEnd), level);
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP)
      throw this.#refuse('it cannot be read as YAML');
    const anchor = event.anchorStart < 0 ? undefined : this.#source.slice(event.anchorStart, event.anchorEnd);
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const node = this.#built(event, level);
    if (node.size > maxWrittenOut) {
      throw this.#refuse('its anchors (&) and aliases (*) make more than 1.5 MiB of it; write out less with them');
    }
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return node;
  }

  #built(event: Tagged, level: number): Node {
    if (event.type === EVENT_ID.SCALAR) return this.#scalar(event);
    return event.type === EVENT_ID.SEQUENCE ? this.#list(event, level) : this.#mapping(event, level);
  }

  #alias(name: string, level: number): Node {
    const node = this.#anchors.get(name);
    if (node !== undefined && level + node.depth <= maxDepth) return node;
    if (node !== undefined) throw this.#refuse(tooDeep);
    if (this.#anchors.has(name)) throw this.#refuse(`*${name} stands inside the value it repeats; write the value out`);
    throw this.#refuse(
      `*${name} repeats a value, but none before it is marked &${name}; a text that starts with * needs quotes`,
    );
  }

  #scalar(event: ScalarEvent): Node {
    const text = getScalarValue(this.#source, event);
    const tag = this.#tag(event);
    const plain = event.style === SCALAR_STYLE.PLAIN ? resolvePlain : String;
    const value = tag === '' ? plain(text) : resolveTagged(tag, text);
    if (value === undefined) throw this.#refuseTag(tag);
    if (isRefusal(value)) throw this.#refuse(value.refused);
    return scalarNode(value);
  }

  #list(event: SequenceEvent, level: number): Node {
    this.#expectTag(event, '!!seq');
    const items: Node[] = [];
    for (let item = this.#take(); item.type !== EVENT_ID.POP; item = this.#take())
      items.push(this.#node(item, level + 1));
    return listNode(items);
  }

  #mapping(event: MappingEvent, level: number): Node {
    this.#expectTag(event, '!!map');
    const pairs = new Map<string, Node>();
    // Only a key that is written twice is an error: what << brought in may be replaced.
    const written = new Set<string>();
    for (let key = this.#take(); key.type !== EVENT_ID.POP; key = this.#take()) {
      if (this.#isMerge(key)) {
        this.#merge(pairs, this.#node(this.#take(), level + 1));
        continue;
      }
      const name = this.#key(this.#node(key, level + 1));
      if (written.has(name)) throw this.#refuse(`the key ${JSON.stringify(name)} is there twice; remove one of them`);
      written.add(name);
      pairs.set(name, this.#node(this.#take(), level + 1));
    }
    return mappingNode(pairs);
  }

  /** A key as the text that JSON wants; kubectl too makes it of whole numbers and booleans. */
  #key(node: Node): string {
    const value = node.kind === 'scalar' ? node.value : null;
    if (typeof value === 'boolean' || Number.isInteger(value)) return String(value);
    if (typeof value !== 'string') throw this.#refuse('a key must be a text; write quotes around it');
    // Copying an object with such a key would change the copy's prototype.
    if (value === '__proto__') throw this.#refuse('the key "__proto__" is not allowed; remove it');
    return value;
  }

  #isMerge(event: Event): boolean {
    if (event.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN) return false;
    return ['', '!!merge'].includes(this.#tag(event)) && getScalarValue(this.#source, event) === '<<';
  }

  /** As go-yaml v2 does it: what is merged replaces what stands before it, and of a list the first has the last word. */
  #merge(pairs: Map<string, Node>, from: Node): void {
    const sources = from.kind === 'list' ? from.items.toReversed() : [from];
    for (const source of sources) {
      if (source.kind !== 'mapping') throw this.#refuse('<< needs a mapping or a list of mappings, such as *name');
      this.#mergedKeys += 1 + source.pairs.size;
      if (this.#mergedKeys > maxMergedKeys)
        throw this.#refuse(`<< brings in more than ${maxMergedKeys} keys; write out less with it`);
      for (const [key, node] of source.pairs) pairs.set(key, node);
    }
  }

  /** The tag as !!name where it is one of YAML's own; empty where there is none. */
  #tag(event: Tagged): string {
    if (event.tagStart < 0) return '';
    return this.#source.slice(event.tagStart, event.tagEnd).replace(/^!<tag:yaml\.org,2002:(.*)>$/, '!!$1');
  }

  #expectTag(event: Tagged, own: string): void {
    const tag = this.#tag(event);
    if (!['', '!', own].includes(tag)) throw this.#refuseTag(tag);
  }

  #refuseTag(tag: string): YamlError {
    return this.#refuse(`the tag ${tag} is not supported; remove it, or write quotes around a text that starts with !`);
  }

  #refuse(why: string, offset = this.#offset): YamlError {
    const lines = this.#source.slice(0, offset).split(/\r\n?|\n/);
    const column = this.#columnOf(lines.length - 1, lines.at(-1)?.length ?? 0);
    return new YamlError(why, { line: lines.length, column: column + 1 });
  }
}

/** The event's place in the text; -1 where it has none. */
function startOf(event: Event): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  if (event.type === EVENT_ID.SCALAR) return event.tagStart < 0 ? event.valueStart : event.tagStart;
  return event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING ? event.start : -1;
}
