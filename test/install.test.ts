// kubectl apply -k install over what the program of 2019 left: names, labels and the namespace are the same, so everything is
// changed in place. Then the overlays, the secrets and the example.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/api/object.ts';
import { api, testCluster } from './env/cluster.ts';
import { type Installation, installOriginal, startInstallation, warnings } from './env/installation.ts';
import { waitFor } from './env/wait.ts';

interface Deployment extends KubeObject {
  readonly spec: {
    readonly strategy: object;
    readonly template: {
      readonly spec: {
        readonly volumes: readonly { readonly name: string; readonly configMap?: object }[];
        readonly containers: readonly { readonly args: readonly string[]; readonly volumeMounts: readonly object[] }[];
      };
    };
  };
}

/** The whole file, on a machine with much else to do; it takes half a minute alone. */
const timeout = 400_000;
const skip = testCluster().controllers ? false : 'there is no controller manager';
const group = '/apis/kubegit.appspero.com/v1alpha1';

describe('kubectl apply -k install', { skip, timeout }, () => {
  let installation: Installation;
  const kubectl: Installation['kubectl'] = (...args) => installation.kubectl(...args);

  before(async () => {
    installation = await startInstallation();
    await installOriginal(installation);
    // Whatever the restricted standard forbids in a pod is now a warning.
    await kubectl(['label', 'namespace', 'default', 'pod-security.kubernetes.io/warn=restricted']);
  });
  after(() => installation?.stop());

  it('changes every object of the original in place, without a warning', async () => {
    const output = await kubectl(['apply', '-k', 'install']);
    assert.deepEqual(warnings(output), []);
    for (const object of [
      'customresourcedefinition.apiextensions.k8s.io/githooks.kubegit.appspero.com',
      'serviceaccount/kube-git',
      'clusterrole.rbac.authorization.k8s.io/kube-git',
      'clusterrolebinding.rbac.authorization.k8s.io/kube-git',
      'service/kube-git',
      'deployment.apps/kube-git',
    ]) {
      assert.match(output.stdout, new RegExp(`^${object} (configured|unchanged)$`, 'm'));
    }
    await installation.startControllers();
  });

  it('leaves nothing of the original in the Deployment', async () => {
    const { spec } = await api<Deployment>('GET', '/apis/apps/v1/namespaces/default/deployments/kube-git');
    assert.deepEqual(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    const { volumes, containers } = spec.template.spec;
    assert.deepEqual(volumes.map(({ name }) => name).sort(), ['kube-git-notification', 'tmp']);
    assert.ok(!JSON.stringify(spec).includes('-2019-'), 'the secret is no argument any more');
    assert.deepEqual(containers[0]?.args, ['-default-service-account=kube-git-runner']);
    assert.equal(containers[0]?.volumeMounts.length, 2);
    assert.ok(volumes.every(({ configMap }) => configMap === undefined));
  });

  it('leaves the GitHooks as they were', async () => {
    const gitHook = await api<{ spec: object }>('GET', `${group}/namespaces/ci/githooks/githook-example`);
    assert.deepEqual(gitHook.spec, {
      repository: 'https://github.com/acme/app.git',
      branches: ['*'],
      manifest: 'argo.yaml',
      argoWorkflow: { revisionParameterName: 'revision', branchParameterName: 'branch' },
      notification: { github: 'github-example', slack: 'slack-ci' },
    });
  });

  it('takes the wildcards from the role', async () => {
    const role = await api<{ rules: object[] }>('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/kube-git');
    assert.ok(!JSON.stringify(role.rules).includes('*'));
  });

  it('can be repeated', async () => {
    const output = await kubectl(['apply', '-k', 'install']);
    assert.deepEqual(warnings(output), []);
    assert.doesNotMatch(output.stdout, /created/);
  });

  it('has a policy in which the API server finds no fault', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/kube-git-runs';
    const policy = await waitFor(
      async () => {
        const found = await api<{ status?: { typeChecking?: { expressionWarnings?: unknown } } }>('GET', path);
        return found.status?.typeChecking !== undefined && found;
      },
      { what: 'the types of the policy to be checked', deadlineMs: 60_000 },
    );
    assert.equal(policy.status?.typeChecking?.expressionWarnings, undefined);
  });

  for (const overlay of ['cluster-wide', 'own-namespace']) {
    it(`has an overlay ${overlay} that the API server takes`, async () => {
      const folder = `install/overlays/${overlay}`;
      // A dry run creates no namespace for the rest to be in.
      if (overlay === 'own-namespace') await kubectl(['apply', '-f', `${folder}/namespace.yaml`]);
      const output = await kubectl(['apply', '--dry-run=server', '-k', folder]);
      assert.deepEqual(warnings(output), []);
    });
  }

  it('has an overlay own-namespace in which no word of default is left', async () => {
    const { stdout } = await kubectl(['kustomize', 'install/overlays/own-namespace']);
    assert.doesNotMatch(stdout, /namespace: default|serviceaccount:default/);
    assert.match(stdout, /'system:serviceaccount:kube-git:kube-git'/);
    const tenant = await kubectl(['kustomize', 'install/overlays/own-namespace/tenant']);
    assert.match(tenant.stdout, /name: kube-git\n {2}namespace: kube-git\n/);
    assert.doesNotMatch(tenant.stdout, /namespace: default/);
  });

  it('has an Ingress example that the API server takes', async () => {
    assert.deepEqual(warnings(await kubectl(['apply', '--dry-run=server', '-f', 'install/examples/ingress.yaml'])), []);
  });

  it('makes the secrets from two files, and without one of them says which and changes nothing', async () => {
    const apply = () => installation.shell('kubectl apply -k install/secrets');
    await assert.rejects(apply, /webhook\.env.*no such file/);
    await installation.shell('echo GITHUB_WEBHOOK_SECRET=0123456789abcdef0123 > install/secrets/webhook.env');
    await assert.rejects(apply, /notification\.yaml.*no such file/);
    await installation.shell("echo '{}' > install/secrets/notification.yaml");
    assert.deepEqual(warnings(await apply()), []);
    const secret = await api<{ data: object }>('GET', '/api/v1/namespaces/default/secrets/kube-git-webhook');
    const value = Buffer.from('0123456789abcdef0123').toString('base64');
    assert.deepEqual(secret.data, { GITHUB_WEBHOOK_SECRET: value });
  });
});
