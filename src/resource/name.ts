// The name of the object that is created for a run. It derives from the run and the manifest alone, so that whoever tries
// again after a crash finds what is there already.
import type { GitHookRun } from '../api/githookrun.ts';
import { cutName, digest, labelLimit } from '../api/labels.ts';
import type { KubeObject } from '../api/object.ts';
import { TerminalError } from '../errors.ts';

/** Characters of the suffix: 40 bits of the run's UID, so that the runs of one manifest never meet. */
const suffixLength = 8;

/**
 * The manifest's name, or its generateName where it has none; then, of a name where the GitHook asks for it, the second in which
 * the run was made; then a suffix of the run's UID. At most 63 characters less `reserve`, since a Job's name becomes a label value
 * and the beginning of its pods' names; the manifest's part is cut for that, and otherwise left as it is: whether it is
 * valid is for the API server to say.
 * Throws TerminalError ManifestInvalid where the manifest has neither.
 */
export function childName(manifest: KubeObject, run: GitHookRun, reserve = 0): string {
  const name = text(manifest, 'name');
  const base = name || text(manifest, 'generateName');
  if (base === '') {
    throw new TerminalError(
      'ManifestInvalid',
      'The manifest has neither metadata.name nor metadata.generateName: write metadata.generateName, such as generateName: build-.',
    );
  }
  const time = name !== '' && run.spec.timestampSuffix ? `-${creationSecond(run)}` : '';
  const suffix = `${time}-${digest(run.metadata.uid ?? '', suffixLength)}`;
  return `${cutName(base, labelLimit - reserve - suffix.length) || base.slice(0, 1)}${suffix}`;
}

function text(manifest: KubeObject, field: 'name' | 'generateName'): string {
  const value: unknown = manifest.metadata[field];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw new TerminalError('ManifestInvalid', `The manifest's metadata.${field} is not a text: write quotes around it.`);
}

/** Seconds since 1970. */
function creationSecond(run: GitHookRun): number {
  const made = Date.parse(run.metadata.creationTimestamp ?? run.spec.receivedTime);
  return Math.floor(made / 1000);
}
