// The image that Argo puts into every pod of a workflow: argoexec on a busybox, as an archive for the node.
// Called by argo.ts.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageArchitecture, imageEnvironment, makeRoot, packFolder } from '../node/images.ts';
import { argoVersion } from './programs.ts';

/** With a tag other than `latest`: what the node has is used, and no registry is asked. */
export const executorImage = `docker.io/kubegit/argoexec:${argoVersion}`;

export interface ExecutorImageOptions {
  readonly argoexec: string;
  /** A static one. */
  readonly busybox: string;
  /** A folder to work in. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a docker-archive with `executorImage` and returns its path. */
export async function makeExecutorImage({ argoexec, ...options }: ExecutorImageOptions): Promise<string> {
  const { folder, signal } = options;
  const root = await makeRoot(options);
  await copyFile(argoexec, join(root, 'bin/argoexec'));
  const content = join(folder, 'executor');
  await mkdir(content);
  await packFolder(root, join(content, 'layer.tar'), signal);
  const digest = createHash('sha256').update(await readFile(join(content, 'layer.tar')));
  const config = {
    architecture: imageArchitecture,
    os: 'linux',
    config: { Entrypoint: ['argoexec'], Env: imageEnvironment },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest.digest('hex')}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [executorImage], Layers: ['layer.tar'] }];
  await writeFile(join(content, 'config.json'), JSON.stringify(config));
  await writeFile(join(content, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'executor.tar');
  await packFolder(content, archive, signal);
  return archive;
}
