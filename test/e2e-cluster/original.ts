// Files as users of the 2019 program have them (testdata/original, in the form of its examples and its README), on a branch
// and on a tag. A part of in-cluster.test.ts.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'node:test';
import { loadAll } from 'js-yaml';
import type { GitHook } from '../../src/api/githook.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { makeKey } from '../env/ssh-server.ts';
import { waitFor } from '../env/wait.ts';
import { type Gate, startGate } from './gate.ts';
import { filled, type Installed } from './installed.ts';
import { deadlineMs } from './observing.ts';
import type { InCluster } from './part.ts';
import type { Project } from './project.ts';

const namespace = 'ci';
const author = 'Ada Test';

const read = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'testdata/original', name), 'utf8');

export function original({ installed, proves, start }: InCluster): void {
  describe("the 2019 program's files", () => {
    proves('run both kinds on a branch and on a tag, and tell what was told then, where it was told', async (t) => {
      const gate = await startGate(t, installed().cluster.hostAddress);
      const knownHosts = await secretsOf2019(installed());
      let values = { SSH_URL: '', HTTP_URL: '', GATE: gate.url };
      let gitHooks: readonly GitHook[] = [];
      const text = await read('githook.yaml');
      const project = await start({
        ...{ namespace, name: 'githook-example' },
        spec: ({ httpUrl, sshUrl }) => {
          values = { ...values, SSH_URL: sshUrl, HTTP_URL: httpUrl };
          gitHooks = loadAll(filled(text, values)) as GitHook[];
          return { ...gitHooks[0]?.spec, knownHosts };
        },
      });
      await project.addGitHook('githook-job', gitHooks[1]?.spec ?? {});
      const files = {
        'examples/argo.yaml': filled(await read('argo.yaml'), values),
        'examples/job.yaml': filled(await read('job.yaml'), values),
        VERSION: 'seven\n',
      };
      const context = { installed: installed(), project, gate };
      const commit = await project.push(files);
      await ranAsThen(context, { commit, ref: 'refs/heads/main', count: 1, pushed: 'app:latest' });
      gate.close();
      await project.pushTag('v1.0', commit);
      await ranAsThen(context, { commit, ref: 'refs/tags/v1.0', count: 2, pushed: 'app:v1.0' });
    });
  });
}

/** The Secrets its files name, the account of its Workflow, and what knownHosts needs that it did not ask for. */
async function secretsOf2019({ apply, gitea, kubectl }: Installed) {
  await apply('default', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await kubectl('apply', '-n', namespace, '-f', 'examples/workflow-account.yaml');
  const key = await makeKey('rsa', ['-N', '', '-m', 'PEM']); // as ssh-keygen wrote them then
  await gitea.addUserKey(key.publicKey);
  const secret = (name: string, stringData: object) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name } },
    stringData,
  });
  await apply(
    namespace,
    secret('secret-example', { key: key.privateKey, hosts: gitea.knownHosts }),
    secret('docker-secret-app', { password: 'a-docker-password' }),
  );
  return { secretKeyRef: { name: 'secret-example', key: 'hosts' } };
}

interface Push {
  readonly commit: string;
  readonly ref: string;
  /** How many pushes there were, this one included. */
  readonly count: number;
  /** What the example's script says that it pushes. */
  readonly pushed: string;
}

interface Context {
  readonly installed: Installed;
  readonly project: Project;
  /** Closed: what runs waits for it. */
  readonly gate: Gate;
}

async function ranAsThen({ gate, installed, project }: Context, push: Push): Promise<void> {
  const { commit, ref } = push;
  const ofJob = { ref, gitHook: 'githook-job' };
  const common = { branch: ref, commit, author, slack: 'slack-ci', started: 'false' };
  const { httpUrl, sshUrl } = project.repository;
  const example = { githook: 'ci/githook-example', repository: sshUrl, github: 'github-example' };
  assert.deepEqual(legacy(await project.untilMade(commit, { ref })), { ...common, ...example });
  const other = { githook: 'ci/githook-job', repository: httpUrl };
  assert.deepEqual(legacy(await project.untilMade(commit, ofJob)), { ...common, ...other });

  gate.open();
  const workflow = (await project.untilSuccess(commit, { ref })) as Workflow;
  const job = await project.untilSuccess(commit, ofJob);
  assert.match(workflow.metadata.name ?? '', /^app-build-/);
  assert.match(job.metadata.name ?? '', /^app-test-\d+-/);
  const { appRepo, branch, revision } = parametersOf(workflow);
  assert.deepEqual({ appRepo, branch, revision }, { appRepo: httpUrl, branch: ref, revision: commit });
  const selector = `workflows.argoproj.io/workflow=${workflow.metadata.name}`;
  const said = await installed.kubectl('logs', '-n', namespace, '-c', 'main', '-l', selector);
  assert.ok(said.includes(`ready\nbuild seven\npush ${push.pushed} with a-docker-password\n`), said);
  assert.match(await project.logOf(job), /^testing$/m);
  await cleanedUpAsWritten(project, workflow);
  await statusAsThen(project, push, workflow);
  await statusAsThen(project, push, job);
  await toldAsThen(installed, project, { workflow, job });
}

function parametersOf({ spec }: Workflow): Readonly<Record<string, string>> {
  return Object.fromEntries(spec.arguments.parameters.map(({ name, value }) => [name, value]));
}

interface Workflow extends KubeObject {
  readonly spec: {
    readonly arguments: { readonly parameters: readonly { readonly name: string; readonly value: string }[] };
    readonly ttlStrategy?: object;
    readonly ttlSecondsAfterFinished?: number;
  };
}

/** Argo 2's spec.ttlSecondsAfterFinished: 3600. */
async function cleanedUpAsWritten(project: Project, { metadata }: Workflow): Promise<void> {
  const handedBack = async () => {
    const all = await project.list<Workflow>('apis/argoproj.io/v1alpha1', 'workflows');
    const { spec } = all.find((one) => one.metadata.name === metadata.name) ?? {};
    assert.deepEqual([spec?.ttlStrategy, spec?.ttlSecondsAfterFinished], [{ secondsAfterCompletion: 3600 }, undefined]);
    return true;
  };
  await waitFor(handedBack, { what: `the clean-up time of ${metadata.name}`, deadlineMs, everyMs: 250 });
}

/** The annotations of the 2019 program, without the group. */
function legacy({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const prefix = 'kubegit.appspero.com/';
  const names = ['branch', 'commit', 'author', 'githook', 'repository', 'slack', 'github', 'started'];
  const given = names.map((name) => [name, metadata.annotations?.[`${prefix}${name}`]] as const);
  return Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function statusAsThen(project: Project, { commit, count, ref }: Push, made: KubeObject): Promise<void> {
  const name = made.kind === 'Job' ? 'githook-job' : 'githook-example';
  const { apiVersion, kind } = made;
  const appliedResource = { apiVersion, kind, name: made.metadata.name, namespace };
  const {
    appliedResource: applied,
    author: by,
    branch,
    lastCommit,
    lastTrigger,
  } = await project.untilCounted(count, name);
  assert.deepEqual(
    { lastCommit, branch, author: by, appliedResource: applied },
    { lastCommit: commit, branch: ref, author, appliedResource },
  );
  const { creationTimestamp = '' } = made.metadata;
  const apartMs = Math.abs(Date.parse(lastTrigger ?? '') - Date.parse(creationTimestamp));
  assert.ok(apartMs < 60_000, `${lastTrigger} ${creationTimestamp}`);
}

/** To Slack that both started and succeeded, with the links of the notification file; the commit has the other link. */
async function toldAsThen(
  { chat }: Installed,
  project: Project,
  { job, workflow }: { readonly job: KubeObject; readonly workflow: KubeObject },
): Promise<void> {
  const { author: by, branch, commit = '' } = legacy(workflow);
  for (const made of [workflow, job]) {
    const link = `https://k8s.example.com/#!/job/ci/${made.metadata.name}?namespace=ci`;
    const about = () => chat.messages.filter(({ attachments }) => attachments[0]?.title_link === link);
    const told = await waitFor(() => about().length >= 2 && about(), { what: `two messages on ${link}`, deadlineMs });
    const kind = made.kind === 'Job' ? 'Job' : 'Argo Workflow';
    assert.deepEqual(
      told.map(({ attachments, channel }) => `${channel} ${attachments[0]?.title}`),
      [`#ci ${kind} Started :large_orange_diamond:`, `#ci ${kind} Succeeded :white_check_mark:`],
    );
    const values = told[1]?.attachments[0]?.fields.map(({ value }) => value);
    assert.deepEqual(values, [legacy(made)['repository'], by, `\`${branch}\``, `\`${commit}\``]);
  }
  const link = `https://argo.example.com/workflows/ci/${workflow.metadata.name}`;
  const isLinked = async () => (await project.untilStatus(commit, 'success')).target_url === link;
  await waitFor(isLinked, { what: `the commit status with ${link}`, deadlineMs, everyMs: 250 });
}
