// Names and histories of refs as they are pushed with git to a real Gitea. A part of in-cluster.test.ts.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { KubeObject } from '../../src/api/object.ts';
import { waitFor } from '../env/wait.ts';
import { deadlineMs } from './observing.ts';
import type { InCluster } from './part.ts';
import type { Project } from './project.ts';

/** git refuses other names; `git branch` refuses the dash too, but not `git push`. */
const branchNames = [
  'feature/login/form',
  '%41',
  '#1',
  "it's",
  '"quoted"',
  '$(id)',
  'ünïcode-日本-😀',
  '{{workflow.name}}',
  '-dash',
  'a=b&payload=x',
];
/** Those that an Argo template or a shell could take for more than text. */
const workflowNames = ["it's", '"quoted"', '$(id)', '{{workflow.name}}'];

const told = ['KUBEGIT_REF', 'KUBEGIT_BRANCH', 'KUBEGIT_COMMIT'];
const manifestFile = 'ci/manifest.yaml';
const job = `
apiVersion: batch/v1
kind: Job
metadata: { generateName: ref- }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: busybox
          command: [sh, -c, 'printf "%s\\n" ${told.map((name) => `"$${name}"`).join(' ')}']
`;
const workflow = `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: { generateName: ref- }
spec:
  entrypoint: main
  serviceAccountName: argo-workflow
  templates:
    - name: main
      container:
        image: busybox
        command: [sh, -c, 'printf "%s\\n" "$REF"']
        env: [{ name: REF, value: "{{workflow.parameters.branch}}" }]
`;

interface Workflow extends KubeObject {
  readonly spec: { readonly arguments: { readonly parameters: readonly object[] } };
}

export function refs({ installed, proves, start }: InCluster): void {
  /** Every push to it comes through both doors. */
  async function throughBothDoors(name: string, branches: readonly string[]): Promise<Project> {
    const project = await start({ namespace: 'refs', name, spec: () => ({ branches }) });
    await project.addWebhook({ door: '/github' });
    return project;
  }

  describe('refs', () => {
    proves('with odd names run once each, and everything shows the whole name as it is', async () => {
      const project = await throughBothDoors('odd', ['refs/heads/none']);
      await installed().kubectl('apply', '-n', 'refs', '-f', 'examples/workflow-account.yaml');
      await project.addGitHook('odd-flow', {
        branches: workflowNames,
        manifest: 'ci/workflow.yaml',
        argoWorkflow: { branchParameterName: 'branch' },
      });
      const branches = await pushBranches(project);
      for (const branch of branches) await showsItself(project, branch);
      for (const branch of branches) if (workflowNames.includes(branch.name)) await reachesWorkflow(project, branch);
      await allDelivered(project, branchNames.length);
      const counts = [await project.runs(), await project.list('apis/batch/v1', 'jobs')].map(({ length }) => length);
      assert.deepEqual(counts, [branchNames.length + workflowNames.length, branchNames.length]);
      assert.equal((await project.list('apis/argoproj.io/v1alpha1', 'workflows')).length, workflowNames.length);
    });

    proves('that are tags, annotated and light, run the commit they lead to', async () => {
      const project = await throughBothDoors('tags', ['refs/tags/*']);
      const commit = await project.push({ [manifestFile]: job });
      const annotated = await project.copy.tag('v1.0', commit, 'Version 1.0');
      await project.copy.tag('100%-"light"', commit);
      await project.pushRefs('refs/tags/v1.0', 'refs/tags/100%-"light"');
      const [ofAnnotated, ofLight] = ['refs/tags/v1.0', 'refs/tags/100%-"light"'].map((ref) => ({ ref }));
      for (const [which, after] of [
        [ofAnnotated, annotated],
        [ofLight, commit],
      ] as const) {
        const made = await project.untilSuccess(commit, which);
        const ref = which?.ref ?? '';
        assert.equal(await project.logOf(made), `${ref}\n${ref.slice('refs/tags/'.length)}\n${commit}\n`);
        const { spec } = await project.untilEnd(commit, which);
        assert.deepEqual([spec.commit, spec.after], [commit, after]);
      }
      assert.notEqual(annotated, commit);
      await allDelivered(project, 3);
      assert.equal((await runsOf(project, 'tags')).length, 2);
    });

    proves('that are deleted run nothing, and Gitea is told why', async () => {
      const project = await start({ namespace: 'refs', name: 'deleted' });
      const webhook = await project.addWebhook({ events: ['push', 'delete'] });
      const commit = await project.push({ [manifestFile]: job });
      await project.copy.git(['update-ref', 'refs/heads/gone', commit]);
      await project.copy.tag('gone', commit, 'Gone soon');
      await project.pushRefs('refs/heads/gone', 'refs/tags/gone');
      for (const ref of ['refs/heads/main', 'refs/heads/gone', 'refs/tags/gone']) {
        await project.untilSuccess(commit, { ref });
      }
      await project.pushRefs(':refs/heads/gone', ':refs/tags/gone');
      const answers = await waitFor(
        () => {
          const all = installed()
            .gitea.deliveries(webhook)
            .filter(({ status }) => status !== undefined);
          // Three pushes; then "delete" for both, and a push for the tag.
          return all.length >= 6 && all.map(({ event, status, answer }) => ({ event, status, ...(answer as object) }));
        },
        { what: 'six answered deliveries', deadlineMs },
      );
      const deletions = answers.slice(3) as { event: string; status: number; decision: string; reason: string }[];
      assert.deepEqual(
        deletions.map(({ decision, event, reason, status }) => `${event} ${status} ${decision} ${reason}`).sort(),
        ['delete 200 ignored RefDeleted', 'delete 200 ignored RefDeleted', 'push 200 ignored RefDeleted'],
      );
      assert.equal((await runsOf(project, 'deleted')).length, 3);
    });

    proves('that are forced to another commit and back run three times', async () => {
      const project = await throughBothDoors('forced', ['main']);
      const first = await project.push({ [manifestFile]: job });
      await project.untilSuccess(first);
      await project.copy.git(['update-ref', '-d', 'refs/heads/main']);
      const second = await project.copy.commit({ [manifestFile]: job, other: 'root' });
      await project.pushRefs('+refs/heads/main');
      await project.untilSuccess(second);
      await project.pushRefs(`+${first}:refs/heads/main`);
      await project.untilSuccess(first, { sequence: 2 });
      await project.untilStatus(first, 'success');
      await allDelivered(project, 3);
      await project.untilCounted(3);
      assert.equal((await runsOf(project, 'forced')).length, 3);
    });
  });

  /** Both webhooks have been answered that often. */
  async function allDelivered({ repository }: Project, pushes: number): Promise<void> {
    const { gitea } = installed();
    const hooks = await gitea.api<readonly { id: number }[]>('GET', `/repos/${repository.name}/hooks`);
    assert.equal(hooks.length, 2);
    for (const { id } of hooks) {
      const answered = () => gitea.deliveries(id).filter(({ status }) => status !== undefined).length === pushes;
      await waitFor(answered, { what: `${pushes} deliveries of webhook ${id}`, deadlineMs });
      for (const { status } of gitea.deliveries(id)) assert.ok(status === 202 || status === 200, `${status}`);
    }
  }

  /** The Workflow's parameter is the ref, and its pod gets it, but for braces: Argo fills them in at once (docs/limits.md). */
  async function reachesWorkflow(project: Project, { commit, name }: Branch): Promise<void> {
    const ref = `refs/heads/${name}`;
    const made = (await project.untilSuccess(commit, { ref, gitHook: 'odd-flow' })) as Workflow;
    const value = ref.replace('{{workflow.name}}', made.metadata.name ?? '');
    assert.deepEqual(made.spec.arguments.parameters, [{ name: 'branch', value }]);
    assert.equal(made.metadata.annotations?.['kubegit.appspero.com/branch'], ref);
    const selector = `workflows.argoproj.io/workflow=${made.metadata.name}`;
    const said = await installed().kubectl('logs', '-n', project.namespace, '-c', 'main', '-l', selector);
    // Argo's own words can come before those of the container.
    assert.ok(said.split('\n').includes(value), said);
  }
}

interface Branch {
  readonly name: string;
  readonly commit: string;
  /** Its own. */
  readonly gitHook: string;
}

/** All of branchNames with one push, each with a commit and a GitHook of its own. */
async function pushBranches(project: Project): Promise<readonly Branch[]> {
  const branches: Branch[] = [];
  for (const [index, name] of branchNames.entries()) {
    const gitHook = `odd-${index}`;
    await project.addGitHook(gitHook, { branches: [index % 2 === 0 ? name : `refs/heads/${name}`] });
    const files = { [manifestFile]: job, 'ci/workflow.yaml': workflow, name };
    branches.push({ name, gitHook, commit: await project.copy.commit(files, { branch: name }) });
  }
  await project.pushRefs(...branchNames.map((name) => `refs/heads/${name}`));
  return branches;
}

/** Job, its pod, GitHook and commit status. */
async function showsItself(project: Project, { commit, gitHook, name }: Branch): Promise<void> {
  const ref = `refs/heads/${name}`;
  const made = await project.untilSuccess(commit, { ref, gitHook });
  assert.equal(made.metadata.annotations?.['kubegit.appspero.com/branch'], ref);
  assert.equal(made.metadata.annotations?.['kubegit.appspero.com/commit'], commit);
  assert.equal(await project.logOf(made), `${ref}\n${name}\n${commit}\n`);
  const { appliedResource, branch, lastCommit } = await project.untilCounted(1, gitHook);
  assert.deepEqual([branch, lastCommit, appliedResource?.name], [ref, commit, made.metadata.name]);
  await project.untilStatus(commit, 'success', gitHook);
}

async function runsOf(project: Project, gitHook: string): Promise<readonly object[]> {
  return (await project.runs()).filter(({ spec }) => spec.gitHookRef.name === gitHook);
}
