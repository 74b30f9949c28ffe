// `npm run image [-- --name NAME --output FILE]`: the container image as an archive for `docker load`, `ctr images import` and
// every tool that reads OCI. Needs no Docker, but root on Debian.
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../../src/config.ts';
import { SetupError } from '../../test/env/setup-error.ts';
import { architecture, buildImage } from './build.ts';

const root = join(import.meta.dirname, '../..');

try {
  const { values } = parseArgs({
    options: {
      name: { type: 'string', default: `docker.io/library/kube-git:${version}` },
      output: { type: 'string', default: join(root, `dist/kube-git-${version}-${architecture}.tar`) },
    },
  });
  await mkdir(dirname(values.output), { recursive: true });
  const { bytes, digest } = await buildImage({ name: values.name, file: values.output, log: console.log });
  console.log(`${relative(process.cwd(), values.output)}: ${(bytes / 1024 ** 2).toFixed(1)} MiB`);
  console.log(`${values.name}@${digest}`);
} catch (error) {
  console.error(error instanceof SetupError ? `kube-git: ${error.message}` : error);
  process.exitCode = 1;
}
