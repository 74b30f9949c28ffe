// Installs CRDs from a folder of manifests and waits until the API server serves them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { type ApiServer, callApi } from './api.ts';
import { waitFor } from './wait.ts';

interface Crd {
  readonly kind?: string;
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Creates every CustomResourceDefinition in the folder's YAML files on a cluster that has none of them. */
export async function installCrds(api: ApiServer, folder: string): Promise<void> {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()) {
    const documents = loadAll(await readFile(join(folder, file), 'utf8')) as Crd[];
    for (const crd of documents) {
      if (crd?.kind === 'CustomResourceDefinition') await install(api, crd);
    }
  }
}

async function install(api: ApiServer, crd: Crd): Promise<void> {
  await callApi(api, 'POST', crds, { body: crd });
  const { name } = crd.metadata;
  const isEstablished = async (): Promise<boolean> => {
    const { status } = await callApi<Crd>(api, 'GET', `${crds}/${name}`);
    return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
  };
  await waitFor(isEstablished, { what: `the API server to serve ${name}`, deadlineMs: 30_000, everyMs: 50 });
}
