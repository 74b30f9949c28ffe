// What test/env/build.ts makes of this folder's Go module: the controller of Argo Workflows and the program it puts into
// every pod, with the CRDs they were made for.
import type { GoBuild } from '../build.ts';

/** As in go.mod. */
export const argoVersion = 'v3.7.3';

const module = 'github.com/argoproj/argo-workflows/v3';

export const argo: GoBuild = {
  name: 'argo',
  what: 'Argo Workflows for tests',
  usually: 'about 4 minutes on two cores',
  sources: import.meta.dirname,
  files: ['osspecific/signal_linux.go'],
  programs: { 'workflow-controller': `${module}/cmd/workflow-controller`, argoexec: `${module}/cmd/argoexec` },
  flags: [`-ldflags=-s -w -X ${module}.version=${argoVersion}`],
  cgo: false,
  goWanted: { major: 1, minor: 24 },
  patches: { [`${module}/workflow/executor/osspecific/signal_linux.go`]: 'osspecific/signal_linux.go' },
  data: { crds: { module, folder: 'manifests/base/crds' } },
};
