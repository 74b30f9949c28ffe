// A manifest as kubectl reads it: another program, in another language, with another YAML reader than ours. What the corpus
// is compared with.
import { join } from 'node:path';
import type { KubeObject } from '../../src/api/object.ts';
import { messageOf } from '../../src/errors.ts';
import { kubectl } from '../env/binaries.ts';
import type { ControlPlane } from '../env/control-plane.ts';

export interface Reading {
  readonly objects: readonly KubeObject[];
  /** What kubectl wrote where it could not read all of the file. */
  readonly refusal?: string;
}

/** The file's objects, in the namespace `default` where they name none. Nothing is validated. */
export async function readByKubectl(plane: ControlPlane, file: string): Promise<Reading> {
  const options = ['--dry-run=client', '--validate=false', '-o', 'json', '--show-managed-fields'];
  try {
    return { objects: objectsIn(await create(plane, file, options)) };
  } catch (error) {
    return { objects: objectsIn(String((error as { stdout?: string }).stdout)), refusal: messageOf(error) };
  }
}

/** What kubectl says where the API server refuses the file; empty where it would be created. */
export async function refusedByKubectl(plane: ControlPlane, file: string): Promise<string> {
  return create(plane, file, ['--dry-run=server', '--validate=strict']).then(() => '', messageOf);
}

function create(plane: ControlPlane, file: string, options: readonly string[]): Promise<string> {
  const place = ['--kubeconfig', plane.kubeconfig, '--cache-dir', join(plane.folder, 'kubectl')];
  return kubectl([...place, 'create', '-f', file, ...options]);
}

/** kubectl writes one object of JSON after the other. */
function objectsIn(output: string): readonly KubeObject[] {
  return output
    .split(/(?<=^\})\n/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text) as KubeObject);
}
