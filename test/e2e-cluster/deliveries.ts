// What Gitea sends besides JSON after a push over http, and what it is answered. A part of in-cluster.test.ts.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'node:test';
import type { GiteaDelivery } from '../env/gitea/deliveries.ts';
import { makeKey } from '../env/ssh-server.ts';
import { waitFor } from '../env/wait.ts';
import { deadlineMs } from './observing.ts';
import type { InCluster } from './part.ts';

interface Answer {
  readonly decision: string;
  readonly reason: string;
  readonly runs: readonly string[];
}

const manifestFile = 'ci/manifest.yaml';

export function deliveries({ installed, proves, start }: InCluster): void {
  /** The webhook's delivery of this number, once it has been answered. */
  async function untilAnswered(webhook: number, number: number): Promise<GiteaDelivery & { readonly answer: Answer }> {
    const answered = () => {
      const delivery = installed().gitea.deliveries(webhook)[number - 1];
      return delivery?.answer !== undefined && { ...delivery, answer: delivery.answer as Answer };
    };
    return waitFor(answered, { what: `an answer to delivery ${number} of webhook ${webhook}`, deadlineMs });
  }

  describe('deliveries', () => {
    proves('of a push over ssh, sent as a form, make its run', async () => {
      const { folder, gitea } = installed();
      const project = await start({ namespace: 'deliveries', name: 'form', spec: () => ({ branches: ['by-ssh'] }) });
      const webhook = await project.addWebhook({ contentType: 'form' });
      const key = await makeKey('ed25519');
      await gitea.addDeployKey(project.repository.name, key.publicKey, { mayPush: true });
      const [keyFile, hosts] = [join(folder, 'push-key'), join(folder, 'push-hosts')];
      await writeFile(keyFile, key.privateKey, { mode: 0o600 });
      await writeFile(hosts, gitea.knownHosts);
      const options = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${hosts}`];
      const command = ['ssh', '-F', 'none', '-i', keyFile, ...options.flatMap((option) => ['-o', option])].join(' ');

      const files = { [manifestFile]: await installed().example('job.yaml') };
      const commit = await project.copy.commit(files, { branch: 'by-ssh' });
      const env = { GIT_SSH_COMMAND: command };
      await project.copy.git(['push', '-q', project.repository.sshUrl, 'refs/heads/by-ssh'], { env });
      const made = await project.untilSuccess(commit, { ref: 'refs/heads/by-ssh' });
      assert.equal(await project.logOf(made), `building ${commit} of by-ssh\n`);
      const { answer, status } = await untilAnswered(webhook, 1);
      assert.deepEqual([status, answer.decision, answer.runs.length], [202, 'accepted', 1]);
      await project.untilCounted(1);
    });

    proves('that Gitea sends as a test, or again, start nothing and are answered why', async () => {
      const { gitea } = installed();
      const project = await start({ namespace: 'deliveries', name: 'replayed', spec: () => ({ branches: ['main'] }) });
      const { id: webhook } = await onlyWebhook(project.repository.name);
      const commit = await project.push({ [manifestFile]: await installed().example('job.yaml') });
      await project.untilSuccess(commit);
      const first = await untilAnswered(webhook, 1);
      assert.deepEqual([first.status, first.answer.reason], [202, 'RunsCreated']);

      await gitea.api('POST', `/repos/${project.repository.name}/hooks/${webhook}/tests`);
      const test = await untilAnswered(webhook, 2);
      assert.deepEqual([test.status, test.answer.decision, test.answer.reason], [200, 'ignored', 'Ping']);

      await gitea.replay(project.repository.name, webhook, first.id);
      const again = await untilAnswered(webhook, 3);
      assert.notEqual(again.id, first.id);
      assert.deepEqual(again.payload, first.payload);
      assert.deepEqual([again.status, again.answer.reason], [202, 'Duplicate']);
      assert.deepEqual(again.answer.runs, first.answer.runs);

      const runs = (await project.runs()).filter(({ spec }) => spec.gitHookRef.name === 'replayed');
      assert.equal(runs.length, 1);
      await project.untilCounted(1);
    });
  });

  async function onlyWebhook(repository: string): Promise<{ readonly id: number }> {
    const [only, ...more] = await installed().gitea.api<readonly { id: number }[]>('GET', `/repos/${repository}/hooks`);
    assert.ok(only !== undefined && more.length === 0);
    return only;
  }
}
