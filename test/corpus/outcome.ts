// What becomes of one file: created under both sorts of Argo's CRDs, or refused by kube-git or by the API server; each
// checked against what kubectl makes of the same file.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { messageOf, TerminalError } from '../../src/errors.ts';
import { parseManifest } from '../../src/resource/manifest.ts';
import { at } from '../../src/resource/mapping.ts';
import { kindOf } from '../../src/resource/registry.ts';
import runJson from '../../src/resource/testdata/run.json' with { type: 'json' };
import { ApiError, callApi } from '../env/api.ts';
import type { ControlPlane } from '../env/control-plane.ts';
import { comparable, expected } from './expected.ts';
import { type Reading, readByKubectl, refusedByKubectl } from './kubectl.ts';

/** API servers that differ in the CRDs of Argo only. */
export interface Planes {
  readonly minimal: ControlPlane;
  readonly full: ControlPlane;
}

const runnable: readonly string[] = ['Job', 'Workflow'];

/** One line that says how the file ended; `WRONG: …` where that is not how it should. */
export async function outcome(path: string, planes: Planes): Promise<string> {
  try {
    const read = await renderedAsExpected(path, planes);
    if (typeof read === 'string') return read;
    const minimal = await create(planes.minimal, read);
    const full = await create(planes.full, read);
    return minimal === full ? full : `${minimal}; full CRDs: ${full}`;
  } catch (error) {
    return `WRONG: ${messageOf(error)}`;
  }
}

/** What kube-git makes of the file, which is what it should make of what kubectl reads; or why it refuses the file. */
export async function renderedAsExpected(path: string, planes: Planes): Promise<Rendered | string> {
  const reading = await readByKubectl(planes.minimal, path);
  const run = runOf(path);
  const rendered = render(await readFile(path, 'utf8'), run);
  if (rendered instanceof TerminalError) return refused(rendered, reading, run);
  const [read] = reading.objects;
  assert.ok(read, `kubectl does not read what kube-git does: ${reading.refusal}`);
  assert.equal(reading.objects.length, 1);
  assert.deepEqual(comparable(rendered), expected(read, run, rendered.metadata.name ?? ''));
  return { path, read, rendered, run };
}

/** A run of its own for each file, as the names of what is created come from its UID. */
function runOf(path: string): GitHookRun {
  const argoWorkflow = { revisionParameterName: 'revision', branchParameterName: 'branch' };
  const metadata = { ...runJson.metadata, namespace: 'default', uid: path };
  return { ...runJson, metadata, spec: { ...runJson.spec, argoWorkflow } } as GitHookRun;
}

function render(text: string, run: GitHookRun): KubeObject | TerminalError {
  try {
    const manifest = parseManifest(text);
    return kindOf(manifest).render(manifest, run);
  } catch (error) {
    if (error instanceof TerminalError) return error;
    throw error;
  }
}

/** Checks that what kube-git says of the file is so. Of a kind that it refuses, the first sentence is enough here. */
function refused({ reason, message }: TerminalError, reading: Reading, run: GitHookRun): string {
  const [read] = reading.objects;
  const isOne = reading.objects.length === 1 && reading.refusal === undefined;
  const isSo = {
    KindNotAllowed: read ? !runnable.includes(read.kind) : /no matches for kind/.test(reading.refusal ?? ''),
    NamespaceMismatch: read?.metadata.namespace !== run.metadata.namespace,
    FieldNotAllowed: read?.metadata.resourceVersion !== undefined,
    ManifestInvalid: !isOne || !Array.isArray(at(read, 'spec', 'arguments', 'parameters') ?? []),
  }[reason];
  const kinds = reading.objects.map(({ kind }) => kind).join();
  assert.ok(isSo, `${reason}: ${message} But kubectl reads: ${kinds} ${reading.refusal ?? ''}`);
  return `${reason}: ${reason === 'KindNotAllowed' ? message.split(/(?<=\.) /)[0] : message}`;
}

export interface Rendered {
  readonly path: string;
  readonly read: KubeObject;
  readonly rendered: KubeObject;
  readonly run: GitHookRun;
}

/** Creates it, and compares what is then stored with what the API server makes of kubectl's reading. */
async function create(plane: ControlPlane, { path, read, rendered, run }: Rendered): Promise<string> {
  const { apiVersion, plural } = kindOf(rendered);
  const resources = `/apis/${apiVersion}/namespaces/default/${plural}`;
  const strict = 'fieldValidation=Strict';
  const answer = await callApi<KubeObject>(plane, 'POST', `${resources}?${strict}`, { body: rendered }).catch(causesOf);
  if (typeof answer === 'string') {
    const said = causes(await refusedByKubectl(plane, path));
    // kubectl may hear of generateName as well, which kube-git does not send.
    assert.ok(said.endsWith(answer), `the API server says ${answer}, but to kubectl ${said}`);
    return `refused: ${answer}`;
  }
  const live = await callApi<KubeObject>(plane, 'GET', `${resources}/${answer.metadata.name}`);
  const asRead = await callApi<KubeObject>(plane, 'POST', `${resources}?${strict}&dryRun=All`, { body: read });
  // The API server writes a Job's own name and UID into its selector and labels.
  if (read.kind === 'Job') return 'created';
  assert.deepEqual(comparable(stored(live)), expected(stored(asRead), run, rendered.metadata.name ?? ''));
  return 'created';
}

/** Without what the API server itself writes into metadata. */
function stored(object: KubeObject): KubeObject {
  const server = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'managedFields'];
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([field]) => !server.includes(field)));
  return { ...object, metadata };
}

function causesOf(error: unknown): string {
  if (error instanceof ApiError) return causes(error.message);
  throw error;
}

/** What is wrong, without who is told: kubectl puts each cause on a line of its own. */
function causes(message: string): string {
  const [, said = message] = /(?:is invalid:|strict decoding error:)\s*(.*)$/s.exec(message) ?? [];
  return said
    .trim()
    .replace(/^\* /, '')
    .replaceAll('\n* ', ', ')
    .replace(/^\[(.*)\]$/s, '$1')
    .replace(/(metadata\.name: Invalid value: )"[^"]*"/, '$1"…"');
}
