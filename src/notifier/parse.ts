// The text of the notification file: sections named like the types, in them entries by name. Called by file.ts. Pure.
// Nothing it throws or returns for the log holds a value of the file: most of them are secrets.
import { CORE_SCHEMA, loadAll, mergeTag, YAMLException } from 'js-yaml';
import type { NotifierEntry, NotifierType } from './notifier.ts';

export interface ParsedFile {
  /** By full name, such as github.ci. */
  readonly entries: ReadonlyMap<string, NotifierEntry>;
  /** Sections and fields that no type knows: accepted, but worth a warning. */
  readonly unknown: readonly string[];
}

/** Reads all of it or throws an Error that names the first wrong field, such as "github.ci.token must be a string". An empty file is no entries. */
export function parseNotificationFile(text: string, types: readonly NotifierType[]): ParsedFile {
  const entries = new Map<string, NotifierEntry>();
  const unknown: string[] = [];
  for (const [section, content] of fieldsOf(parseYaml(text), 'the notification file')) {
    const type = types.find((candidate) => candidate.type === section);
    if (!type) {
      unknown.push(shown(section));
      continue;
    }
    for (const [key, entry] of fieldsOf(content, section)) {
      const name = `${section}.${key}`;
      entries.set(name, type.parse(entry, name));
      unknown.push(...unknownFields(type, name, entry));
    }
  }
  return { entries, unknown };
}

function parseYaml(text: string): unknown {
  try {
    const documents = loadAll(text, { schema: CORE_SCHEMA.withTags(mergeTag) });
    if (documents.length > 1) throw new Error('the notification file holds more than one document: leave one');
    return documents[0];
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // Of the reason what stands before anything quoted; the message itself shows the lines around.
    const reason = error.reason.split(/["'`<!:]/, 1)[0]?.trim();
    const place = error.mark ? `line ${error.mark.line + 1}, column ${error.mark.column + 1}` : 'it';
    throw new Error(`the notification file is not YAML: ${place}: ${reason}`);
  }
}

/** The fields of a mapping; of nothing, none. */
function fieldsOf(value: unknown, at: string): [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`${at} must be a mapping`);
  return Object.entries(value);
}

function unknownFields(type: NotifierType, name: string, entry: unknown): string[] {
  const keys = fieldsOf(entry, name).map(([key]) => key);
  return keys.filter((key) => !type.fields.includes(key)).map((key) => `${name}.${shown(key)}`);
}

/** A value that slipped into a key's place is likely a secret; the longest field of ours has 12 letters. */
function shown(key: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]{0,23}$/.test(key) ? key : '(unreadable)';
}
