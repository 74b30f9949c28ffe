import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TerminalError } from '../errors.ts';
import { kindOf, resourceKinds } from './registry.ts';

const refusals: readonly { readonly apiVersion: string; readonly kind: string; readonly says: string }[] = [
  { apiVersion: 'batch/v1beta1', kind: 'Job', says: 'Write apiVersion: batch/v1 and kind: Job.' },
  { apiVersion: 'v1', kind: 'Job', says: 'Write apiVersion: batch/v1 and kind: Job.' },
  { apiVersion: 'batch/v1', kind: 'job', says: 'Write apiVersion: batch/v1 and kind: Job.' },
  {
    apiVersion: 'example.com/v1',
    kind: 'Job',
    says: 'It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    says: 'A push is what starts it here, so take its spec.jobTemplate.spec as the spec of a Job. It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
  {
    apiVersion: 'v1',
    kind: 'List',
    says: 'A manifest holds one object: take it out of the list. It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'CronWorkflow',
    says: 'A push is what starts it here, so take its spec.workflowSpec as the spec of a Workflow. It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
  {
    apiVersion: 'argoproj.io/v1',
    kind: 'Workflow',
    says: 'Write apiVersion: argoproj.io/v1alpha1 and kind: Workflow.',
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    says: 'Take its spec as the spec.template.spec of a Job. It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    says: 'It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
  {
    apiVersion: 'v1',
    kind: 'constructor',
    says: 'It may hold a Job of batch/v1 or a Workflow of argoproj.io/v1alpha1: something that runs to an end.',
  },
];

describe('kindOf', () => {
  it('finds every kind of the table by its apiVersion and kind', () => {
    for (const kind of resourceKinds) assert.equal(kindOf({ apiVersion: kind.apiVersion, kind: kind.kind }), kind);
  });

  for (const { apiVersion, kind, says } of refusals) {
    it(`refuses ${apiVersion} ${kind}, and says what to write`, () => {
      assert.throws(
        () => kindOf({ apiVersion, kind }),
        (error) =>
          error instanceof TerminalError &&
          error.reason === 'KindNotAllowed' &&
          error.message === `The manifest holds a ${kind} of ${apiVersion}, which kube-git does not create. ${says}`,
      );
    });
  }

  it('shows a long or many-lined kind cut, in one line', () => {
    assert.throws(
      () => kindOf({ apiVersion: 'a\n\u001b[31mb', kind: 'x'.repeat(10_000) }),
      (error) => error instanceof TerminalError && error.message.length < 500 && !/\p{Cc}/u.test(error.message),
    );
  });
});
