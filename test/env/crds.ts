// Installs CRDs from a folder of manifests and waits until the API server serves them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { ApiError, type ApiServer, callApi } from './api.ts';
import { waitFor } from './wait.ts';

interface Crd {
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Creates every CustomResourceDefinition in the folder's YAML files, or replaces the one of that name. */
export async function installCrds(api: ApiServer, folder: string): Promise<void> {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()) {
    const documents = loadAll(await readFile(join(folder, file), 'utf8')) as Crd[];
    for (const crd of documents) {
      if (crd?.kind === 'CustomResourceDefinition') await install(api, crd);
    }
  }
}

async function install(api: ApiServer, crd: Crd): Promise<void> {
  const { name } = crd.metadata;
  await callApi(api, 'POST', crds, { body: crd }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 409) return replace(api, crd);
    throw error;
  });
  const { group, names, versions } = crd.spec;
  const isServed = async (): Promise<boolean> => {
    const { status } = await callApi<Crd>(api, 'GET', `${crds}/${name}`);
    if (!status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) return false;
    // Established comes first: a list is then still answered with 404 or 429 for a moment.
    await callApi(api, 'GET', `/apis/${group}/${versions[0]?.name}/${names.plural}?limit=1`);
    return true;
  };
  await waitFor(isServed, { what: `the API server to serve ${name}`, deadlineMs: 60_000, everyMs: 50 });
}

async function replace(api: ApiServer, crd: Crd): Promise<void> {
  const path = `${crds}/${crd.metadata.name}`;
  const { metadata } = await callApi<Crd>(api, 'GET', path);
  const body = { ...crd, metadata: { ...crd.metadata, resourceVersion: metadata.resourceVersion } };
  await callApi(api, 'PUT', path, { body });
}
