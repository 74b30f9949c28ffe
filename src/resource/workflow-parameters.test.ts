import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GitHookRun } from '../api/githookrun.ts';
import { TerminalError } from '../errors.ts';
import { at } from './mapping.ts';
import runJson from './testdata/run.json' with { type: 'json' };
import { withParameters } from './workflow-parameters.ts';

type Names = NonNullable<GitHookRun['spec']['argoWorkflow']>;

const commit = '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c';
const branch = 'refs/heads/release/1.0';

function runOf(argoWorkflow: Names | undefined, ref: string = branch): GitHookRun {
  return { ...runJson, spec: { ...runJson.spec, ref, ...(argoWorkflow && { argoWorkflow }) } } as GitHookRun;
}

function filled(parameters: unknown, names: Names): unknown {
  return at(withParameters({ arguments: { parameters } }, runOf(names)), 'arguments', 'parameters');
}

const revision = { revisionParameterName: 'rev' };
const both = { revisionParameterName: 'rev', branchParameterName: 'ref' };

describe('the parameters of a Workflow', () => {
  for (const { what, names, before, after } of [
    { what: 'the commit alone', names: revision, before: [], after: [{ name: 'rev', value: commit }] },
    {
      what: 'the full ref alone',
      names: { branchParameterName: 'ref' },
      before: [],
      after: [{ name: 'ref', value: branch }],
    },
    {
      what: 'both',
      names: both,
      before: [],
      after: [
        { name: 'rev', value: commit },
        { name: 'ref', value: branch },
      ],
    },
    {
      what: 'one without a value',
      names: revision,
      before: [{ name: 'rev' }],
      after: [{ name: 'rev', value: commit }],
    },
    {
      what: 'one with another value, in its place and with all else it has',
      names: revision,
      before: [{ name: 'a' }, { name: 'rev', value: 5, default: 'x', enum: ['x'], description: 'd' }, { name: 'b' }],
      after: [
        { name: 'a' },
        { name: 'rev', value: commit, default: 'x', enum: ['x'], description: 'd' },
        { name: 'b' },
      ],
    },
    {
      what: 'one that is not in the list, at its end',
      names: revision,
      before: [{ name: 'Rev', value: 'other' }],
      after: [
        { name: 'Rev', value: 'other' },
        { name: 'rev', value: commit },
      ],
    },
    { what: 'no list', names: revision, before: null, after: [{ name: 'rev', value: commit }] },
    {
      what: 'a list with strange entries, which stay',
      names: revision,
      before: ['rev', null, ['rev'], { name: 1 }, {}],
      after: ['rev', null, ['rev'], { name: 1 }, {}, { name: 'rev', value: commit }],
    },
    {
      what: 'empty names: nothing',
      names: { revisionParameterName: '', branchParameterName: '' },
      before: [],
      after: [],
    },
  ]) {
    it(`are filled in: ${what}`, () => assert.deepEqual(filled(before, names), after));
  }

  for (const spec of [{}, { arguments: null }, { arguments: {} }, { arguments: { parameters: null, artifacts: [] } }]) {
    it(`are added where the Workflow has ${JSON.stringify(spec)}`, () => {
      const parameters = at(withParameters(spec, runOf(revision)), 'arguments', 'parameters');
      assert.deepEqual(parameters, [{ name: 'rev', value: commit }]);
      assert.deepEqual(withParameters(spec, runOf(undefined)), spec);
      assert.deepEqual(withParameters(spec, runOf({})), spec);
    });
  }

  for (const spec of [{ arguments: 'x' }, { arguments: [] }, { arguments: { parameters: {} } }]) {
    it(`have no place in ${JSON.stringify(spec)}: refused, and only where there are any`, () => {
      assert.throws(
        () => withParameters(spec, runOf(revision)),
        isTerminal('ManifestInvalid', /spec\.arguments.* is not/),
      );
      assert.equal(withParameters(spec, runOf({})), spec);
    });
  }
});

function isTerminal(reason: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof TerminalError && error.reason === reason && message.test(error.message);
}

describe('a ref as a parameter', () => {
  for (const ref of [
    'refs/heads/$(id)',
    'refs/tags/v1"\'`;&|',
    'refs/heads/{a}}',
    'refs/heads/ü-€',
    'refs/heads/%2e',
    'refs/heads/{{workflow.name}}',
    'refs/heads/{{=sprig.env("HOME")}}',
    'refs/tags/{{',
    'refs/heads/a{{{b',
  ]) {
    it(`${ref} is passed as it is`, () => {
      const spec = withParameters({}, runOf({ branchParameterName: 'ref' }, ref));
      assert.deepEqual(at(spec, 'arguments', 'parameters'), [{ name: 'ref', value: ref }]);
    });
  }

  it('is passed unchanged or refused, whatever it is and whatever the Workflow has', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), (ref, parameters) => {
        try {
          const spec = withParameters({ arguments: { parameters } }, runOf({ branchParameterName: 'ref' }, ref));
          const list = at(spec, 'arguments', 'parameters') as readonly {
            readonly name: string;
            readonly value: string;
          }[];
          assert.equal(list.find((entry) => entry?.name === 'ref')?.value, ref);
        } catch (error) {
          assert.ok(error instanceof TerminalError);
        }
      }),
    );
  });
});
