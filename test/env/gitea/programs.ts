// What test/env/build.ts makes of this folder's Go module: Gitea with sqlite, and the files it reads at run time. The
// pages' scripts and styles are not in the module: its API and git need none, a browser shows bare pages.
import type { GoBuild } from '../build.ts';

const module = 'code.gitea.io/gitea';

export const gitea: GoBuild = {
  name: 'gitea',
  what: 'Gitea for tests',
  usually: 'about 5 minutes on two cores',
  sources: import.meta.dirname,
  files: [],
  programs: { gitea: module },
  flags: ['-tags=sqlite sqlite_unlock_notify', '-ldflags=-s -w -X main.Version=1.26.0'], // the version in go.mod
  cgo: true,
  goWanted: { major: 1, minor: 26 },
  data: {
    templates: { module, folder: 'templates' },
    options: { module, folder: 'options' },
    public: { module, folder: 'public' },
  },
};
