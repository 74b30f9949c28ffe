// What each part of in-cluster.test.ts is given.
import type { TestContext } from 'node:test';
import type { Installed } from './installed.ts';
import type { Project, ProjectOptions } from './project.ts';

export interface InCluster {
  /** Within tests only: it is started before the first one. */
  installed(): Installed;
  /** A test that shows, when it fails, what the cluster and its programs say. */
  proves(what: string, body: (t: TestContext) => Promise<void>): void;
  /** A repository, a namespace and a GitHook of the test's own; names are used once in all parts. */
  start(options: ProjectOptions): Promise<Project>;
}
