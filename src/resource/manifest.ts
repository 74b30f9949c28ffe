// The text of a manifest as an object: plain JSON data, no field known, dropped or added. Called by the controller with what
// stands in the repository, so every text is met with a result or with one clear refusal.
import type { KubeObject } from '../api/object.ts';
import { TerminalError } from '../errors.ts';
import { oneLine } from '../text.ts';
import { isMapping } from './mapping.ts';
import { readYaml, YamlError } from './yaml.ts';

/** Bytes of a manifest: a third of what the API server takes, and more than any Job that was written by a person. */
const maxBytes = 512 * 1024;

/** Characters of a refusal that are shown: names and numbers in it come from the manifest. */
const shownLimit = 500;

/**
 * The one object of a manifest in YAML or JSON, read as kubectl reads it (scalar.ts, yaml.ts).
 * Throws TerminalError ManifestInvalid with line and column, where they are known, and what to change.
 */
export function parseManifest(text: string): KubeObject {
  if (Buffer.byteLength(text) > maxBytes) throw invalid('it is larger than 512 KiB; make it smaller');
  if (text.startsWith('version https://git-lfs.')) {
    throw invalid('it is a Git LFS pointer, not the file itself; take it out of LFS in .gitattributes');
  }
  return checked(read(text));
}

function read(text: string): unknown {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw invalid('it cannot be read as YAML', { cause: error });
    const where = error.place && `line ${error.place.line}, column ${error.place.column}: `;
    throw invalid(`${where ?? ''}${error.message}`, { cause: error });
  }
}

function checked(value: unknown): KubeObject {
  if (value === null) throw invalid('it is empty; write one Job or Workflow in it');
  if (!isMapping(value))
    throw invalid(`it is ${kindOfValue(value)}, not a mapping that starts with apiVersion and kind`);
  const { apiVersion, kind, metadata: own } = value;
  if (!isName(apiVersion))
    throw invalid(
      'apiVersion is missing or not a text; for a Job write apiVersion: batch/v1, for an Argo Workflow argoproj.io/v1alpha1',
    );
  if (!isName(kind)) throw invalid('kind is missing or not a text; write kind: Job or kind: Workflow');
  // Where it is missing the kind has the first word, as a List has none; a Job without it is told that it has no name.
  const metadata = own ?? {};
  if (!isMapping(metadata)) throw invalid('metadata is not a mapping; write metadata with a generateName in it');
  return { ...value, apiVersion, kind, metadata };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function kindOfValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

function invalid(why: string, options?: ErrorOptions): TerminalError {
  return new TerminalError('ManifestInvalid', `The manifest cannot be used: ${oneLine(why, shownLimit)}.`, options);
}
