// kube-git in the cluster, from its image and with exactly the rights of install and install/tenant: real pushes to a real
// Gitea, real pods, real Argo Workflows, and what Gitea shows of them in the end. One installation for all parts.
import { after, before, describe, it } from 'node:test';
import { credentials } from './credentials.ts';
import { deliveries } from './deliveries.ts';
import { type Installed, startInstalled } from './installed.ts';
import { original } from './original.ts';
import type { InCluster } from './part.ts';
import { startProject } from './project.ts';
import { refs } from './refs.ts';
import { runs } from './runs.ts';
import { variants } from './variants.ts';

const enabled = process.env['KUBEGIT_TEST_NODE'] === '1' && process.env['KUBEGIT_TEST_GITEA'] === '1';
const skip = enabled
  ? false
  : 'needs root, Debian, Go 1.26 and gcc (15 minutes the first time, then 10): npm run e2e runs it, which sets KUBEGIT_TEST_NODE=1 and KUBEGIT_TEST_GITEA=1';
/** Each test, and the whole, on a machine with much else to do. */
const testTimeout = 900_000;
const timeout = 7_200_000;
const log = (line: string) => console.log(line);

describe('kube-git installed in the cluster', { skip, timeout }, () => {
  let started: Installed;

  before(async () => {
    started = await startInstalled(log);
  });
  after(() => started?.stop());

  /** A test that shows, when it fails, what the cluster and its programs say. */
  const proves: InCluster['proves'] = (what, body) => {
    it(what, { timeout: testTimeout }, async (t) => {
      try {
        await body(t);
      } catch (error) {
        log(await started.diagnose());
        throw error;
      }
    });
  };

  const part: InCluster = { installed: () => started, proves, start: (options) => startProject(started, options) };
  for (const describePart of [runs, refs, deliveries, original, credentials]) describePart(part);
  variants(part); // installs otherwise, and takes everything away in the end
});
