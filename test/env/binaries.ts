// Finds the programs of a cluster: the user's own where there are some, else the ones built from test/env/kubernetes.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { builtFolder } from './build.ts';
import { kubernetes } from './kubernetes/programs.ts';
import type { Output } from './progress.ts';
import { SetupError } from './setup-error.ts';

export type Component =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kubectl';

/** How to start a component: its own flags go after `args`. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

export interface BinaryOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Where to say what is being waited for. Default: standard error. */
  readonly output?: Output;
  /** Ends a build. */
  readonly signal?: AbortSignal | undefined;
}

/** Where the user's own programs are, and how that was named to us. */
interface Assets {
  readonly folders: readonly string[];
  readonly from: string;
}

/**
 * The program for a component. Order: KUBEBUILDER_ASSETS (the folder of controller-runtime's envtest), then PATH where it
 * has both etcd and kube-apiserver, then our own build, which is made when it is missing (minutes, with progress).
 * Throws SetupError with a sentence for the user.
 */
export async function binary(component: Component, options: BinaryOptions = {}): Promise<Program> {
  const { env = process.env, output = process.stderr } = options;
  const assets = await findAssets(env);
  if (assets !== undefined) {
    const file = await find(component, assets.folders);
    if (file !== undefined) return { file, args: [] };
    output.write(`${assets.from} has no ${component}: the one from test/env/kubernetes is used.\n`);
  }
  const folder = await builtFolder(kubernetes, { env, output, signal: options.signal });
  return { file: join(folder, 'kubernetes'), args: [component] };
}

/** Whether the component comes without building: tests leave out what needs a long build. */
export async function isAtHand(component: Component, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const assets = await findAssets(env);
  return assets === undefined || (await find(component, assets.folders)) !== undefined;
}

/** Runs kubectl and gives what it wrote to standard output. Rejects with what it wrote to standard error. */
export async function kubectl(args: readonly string[], options: BinaryOptions = {}): Promise<string> {
  const program = await binary('kubectl', options);
  const { stdout } = await promisify(execFile)(program.file, [...program.args, ...args], { env: options.env });
  return stdout;
}

async function findAssets(env: NodeJS.ProcessEnv): Promise<Assets | undefined> {
  const folder = env['KUBEBUILDER_ASSETS'];
  if (folder) {
    if (await hasControlPlane([folder])) return { folders: [folder], from: `KUBEBUILDER_ASSETS (${folder})` };
    throw new SetupError(
      `KUBEBUILDER_ASSETS is set to ${folder}, which does not have both etcd and kube-apiserver: correct it, or unset it to have them built.`,
    );
  }
  const folders = (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '');
  return (await hasControlPlane(folders)) ? { folders, from: 'PATH' } : undefined;
}

async function hasControlPlane(folders: readonly string[]): Promise<boolean> {
  const found = await Promise.all([find('etcd', folders), find('kube-apiserver', folders)]);
  return found.every((file) => file !== undefined);
}

async function find(component: Component, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const file = join(folder, component);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
