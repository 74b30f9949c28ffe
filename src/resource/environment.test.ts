import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHookRun, GitHookRunSpec } from '../api/githookrun.ts';
import { withEnvironment } from './environment.ts';
import { type Mapping, mappingsAt, textAt } from './mapping.ts';
import runJson from './testdata/run.json' with { type: 'json' };

const run = runJson as GitHookRun;

function runOf(spec: Partial<GitHookRunSpec>): GitHookRun {
  return { ...run, spec: { ...run.spec, ...spec } };
}

function valuesOf(podSpec: Mapping, field = 'containers'): Record<string, string> {
  const [container] = mappingsAt(podSpec, field);
  return Object.fromEntries(
    mappingsAt(container, 'env').map((entry) => [textAt(entry, 'name'), textAt(entry, 'value')]),
  );
}

const one = { containers: [{ name: 'main' }], initContainers: [{ name: 'first' }] };

/** What the kubelet makes of a value: k8s.io/kubernetes/third_party/forked/golang/expansion. */
function expand(value: string, variables: Record<string, string>): string {
  return value.replace(/\$(\$|\(([^)]*)\))/g, (whole, what: string, name: string) =>
    what === '$' ? '$' : (variables[name] ?? whole),
  );
}

describe('withEnvironment', () => {
  it('tells every container and init container of the push', () => {
    const told = withEnvironment(one, run);
    assert.deepEqual(valuesOf(told), {
      KUBEGIT_REPOSITORY: 'https://github.com/acme/app.git',
      KUBEGIT_REF: 'refs/heads/release/1.0',
      KUBEGIT_BRANCH: 'release/1.0',
      KUBEGIT_COMMIT: '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c',
      KUBEGIT_BEFORE: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
      KUBEGIT_AUTHOR: 'Ada Lovelace',
      KUBEGIT_RUN: 'build-nq2wkzz5h4rc',
    });
    assert.deepEqual(valuesOf(told, 'initContainers'), valuesOf(told));
  });

  it('gives a tag its own name, and another ref its full one', () => {
    assert.equal(valuesOf(withEnvironment(one, runOf({ ref: 'refs/tags/v1/rc' })))['KUBEGIT_BRANCH'], 'v1/rc');
    assert.equal(
      valuesOf(withEnvironment(one, runOf({ ref: 'refs/pull/1/head' })))['KUBEGIT_BRANCH'],
      'refs/pull/1/head',
    );
  });

  it('is empty where nothing is known', () => {
    const { before: _, author: _author, ...spec } = run.spec;
    const values = valuesOf(withEnvironment(one, { ...run, spec }));
    assert.equal(values['KUBEGIT_BEFORE'], '');
    assert.equal(values['KUBEGIT_AUTHOR'], '');
  });

  it('stands before a container’s own, which it may then refer to, and gives way to a name it sets itself', () => {
    const env = [
      { name: 'TAG', value: 'x:$(KUBEGIT_COMMIT)' },
      { name: 'KUBEGIT_AUTHOR', valueFrom: {} },
    ];
    const told = withEnvironment({ containers: [{ name: 'main', env }] }, run);
    const names = mappingsAt(mappingsAt(told, 'containers')[0], 'env').map((entry) => entry['name']);
    assert.deepEqual(names.slice(-2), ['TAG', 'KUBEGIT_AUTHOR']);
    assert.equal(names.filter((name) => name === 'KUBEGIT_AUTHOR').length, 1);
    assert.equal(names.length, 8);
  });

  for (const text of [
    '$(KUBEGIT_COMMIT)',
    '$$(KUBEGIT_COMMIT)',
    'a$b',
    '$',
    '$$',
    'cost: 5$',
    '$(',
    '$(X',
    '`id`',
    '$((1))',
  ]) {
    it(`a branch called ${text} stays text in the kubelet`, () => {
      const values = valuesOf(withEnvironment(one, runOf({ ref: `refs/heads/${text}` })));
      assert.equal(expand(values['KUBEGIT_BRANCH'] ?? '', { KUBEGIT_COMMIT: 'expanded' }), text);
    });
  }

  it('drops a NUL, with which no container would start', () => {
    assert.equal(valuesOf(withEnvironment(one, runOf({ author: 'a\0b' })))['KUBEGIT_AUTHOR'], 'ab');
  });

  it('does nothing when injection is Disabled', () => {
    assert.equal(withEnvironment(one, runOf({ environment: { injection: 'Disabled' } })), one);
  });

  it('leaves what is no container for the API server to refuse', () => {
    const odd = { containers: [1, null, { name: 'a', env: 'x' }, [{}]], initContainers: { name: 'b' } };
    assert.deepEqual(withEnvironment(odd, run), odd);
  });
});
