// `npm run bundle`: the whole program in one file, dist/kube-git.mjs, which runs under Node 24 with nothing beside it. The
// image is made of it (hack/image, Dockerfile). Not minified, so that a stack trace names functions.
import { chmod } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');

export interface Bundle {
  readonly file: string;
  readonly bytes: number;
}

/** Modules of the CommonJS kind ask for Node's own modules with require, which a module of the other kind does not have. */
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

/** Writes `file` and `file`.map. The same sources and packages give the same bytes, wherever the checkout is. */
export async function bundle(file = join(root, 'dist/kube-git.mjs'), plugins: readonly Plugin[] = []): Promise<Bundle> {
  const { metafile } = await build({
    plugins: [...plugins],
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    sourcemap: 'linked',
    legalComments: 'eof', // the licences of what is bundled
    banner: { js: banner },
    metafile: true,
    logLevel: 'warning',
  });
  await chmod(file, 0o755);
  const written = Object.entries(metafile.outputs).find(([name]) => name.endsWith('.mjs'));
  return { file, bytes: written?.[1].bytes ?? 0 };
}

if (import.meta.main) {
  const { file, bytes } = await bundle();
  console.log(`${relative(process.cwd(), file)}: ${(bytes / 1024).toFixed(0)} KiB`);
}
