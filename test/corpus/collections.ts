// Where manifests are that nobody here wrote: in the sources of the programs that the tests are built on, in the versions
// that their go.mod names. Nothing of them is in this repository.
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { argo } from '../env/argo/programs.ts';
import { kubernetes } from '../env/kubernetes/programs.ts';

export interface Collection {
  readonly name: string;
  readonly folder: string;
  /** Paths in it, sorted. */
  readonly files: readonly string[];
}

export interface Sources {
  readonly argo: string;
  readonly kubernetes: string;
  /** The types of Kubernetes. */
  readonly types: string;
}

/** The folders of the sources; downloaded by Go (about 60 MB) where it does not have them yet. */
export async function programSources(): Promise<Sources> {
  return {
    argo: await moduleFolder(argo.sources, 'github.com/argoproj/argo-workflows/v3'),
    kubernetes: await moduleFolder(kubernetes.sources, 'k8s.io/kubernetes'),
    types: await moduleFolder(kubernetes.sources, 'k8s.io/api'),
  };
}

export function collections(sources: Sources): readonly Collection[] {
  const collection = (name: string, folder: string, ...patterns: string[]): Collection => ({
    name,
    folder,
    files: globSync(patterns, { cwd: folder }).sort(),
  });
  const ofTests = ['test/**/*.yaml', 'ui/test/**/*.yaml', 'workflow/**/testdata/**/*.yaml'];
  return [
    collection('the examples of Argo Workflows', join(sources.argo, 'examples'), '**/*.yaml'),
    collection("what Argo's own tests read", sources.argo, ...ofTests),
    collection(
      'the manifests of the Kubernetes user guide',
      join(sources.kubernetes, 'test/fixtures/doc-yaml'),
      '**/*.yaml',
    ),
    collection('our examples', join(import.meta.dirname, '../../examples'), '**/*.yaml'),
  ];
}

async function moduleFolder(cwd: string, module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { cwd });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}
