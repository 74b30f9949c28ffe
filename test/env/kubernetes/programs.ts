// What test/env/build.ts makes of this folder's Go module: one program with every component of a cluster.
import type { GoBuild } from '../build.ts';

/** What the API server says of itself; the module version in go.mod. */
const version = 'v1.34.4';

export const kubernetes: GoBuild = {
  name: 'kubernetes',
  what: 'etcd and Kubernetes for tests and demo',
  usually: 'about 5 minutes on two cores',
  sources: import.meta.dirname,
  files: ['main.go'],
  programs: { kubernetes: '.' },
  flags: [`-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=${version}`],
  cgo: false,
  goWanted: { major: 1, minor: 24 },
  otherwise:
    ', or set KUBEBUILDER_ASSETS to a folder that has etcd and kube-apiserver (which do for npm test), or use a cluster you have (npm run demo -- --context NAME)',
};
