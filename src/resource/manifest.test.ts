import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cpuMs } from '../../test/env/cpu-time.ts';
import { TerminalError } from '../errors.ts';
import { parseManifest } from './manifest.ts';

const head = 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: x-\n';

function refusalOf(text: string): TerminalError {
  try {
    parseManifest(text);
  } catch (error) {
    assert.ok(error instanceof TerminalError, `not a TerminalError: ${String(error)}`);
    return error;
  }
  return assert.fail(`was accepted: ${text.slice(0, 100)}`);
}

const accepted: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'YAML', text: head },
  { name: 'JSON', text: '{"apiVersion":"batch/v1","kind":"Job","metadata":{"generateName":"x-"}}' },
  {
    name: 'JSON indented by tabs',
    text: '{\n\t"apiVersion": "batch/v1",\n\t"kind": "Job",\n\t"metadata": {"generateName": "x-"}\n}\n',
  },
  { name: 'empty documents and comments around it', text: `# c\n---\n# d\n---\n${head}---\n# e\n---\nnull\n` },
  { name: 'a byte order mark', text: `\uFEFF${head}` },
  { name: 'Windows line ends', text: head.replaceAll('\n', '\r\n') },
  { name: 'an end mark', text: `${head}...\n` },
];

const refused: readonly { readonly name: string; readonly text: string; readonly says: string }[] = [
  { name: 'nothing', text: '', says: 'it is empty; write one Job or Workflow in it' },
  { name: 'comments only', text: '# nothing\n---\n# here\n', says: 'it is empty; write one Job or Workflow in it' },
  {
    name: 'a second document',
    text: `${head}---\n${head}`,
    says: 'line 6, column 1: a second document starts here; keep one, and give the other a file and a GitHook of its own',
  },
  { name: 'a text', text: 'hello', says: 'it is a text, not a mapping that starts with apiVersion and kind' },
  { name: 'a list', text: '- a', says: 'it is a list, not a mapping that starts with apiVersion and kind' },
  { name: 'a number', text: '1', says: 'it is a number, not a mapping that starts with apiVersion and kind' },
  {
    name: 'no apiVersion',
    text: 'kind: Job',
    says: 'apiVersion is missing or not a text; for a Job write apiVersion: batch/v1, for an Argo Workflow argoproj.io/v1alpha1',
  },
  {
    name: 'a number as apiVersion',
    text: 'apiVersion: 1\nkind: Job',
    says: 'apiVersion is missing or not a text; for a Job write apiVersion: batch/v1, for an Argo Workflow argoproj.io/v1alpha1',
  },
  {
    name: 'no kind',
    text: 'apiVersion: batch/v1',
    says: 'kind is missing or not a text; write kind: Job or kind: Workflow',
  },
  {
    name: 'metadata as a list',
    text: 'apiVersion: batch/v1\nkind: Job\nmetadata: []',
    says: 'metadata is not a mapping; write metadata with a generateName in it',
  },
  {
    name: 'bad indentation',
    text: `${head}spec:\n  a: 1\n b: 2\n`,
    says: 'line 7, column 2: bad indentation of a mapping entry',
  },
  {
    name: 'a tab',
    text: `${head}spec:\n\ta: 1\n`,
    says: 'line 6, column 1: tab characters must not be used in indentation',
  },
  {
    name: 'a key that is there twice',
    text: `${head}spec:\n  a: 1\n  a: 2\n`,
    says: 'line 7, column 3: the key "a" is there twice; remove one of them',
  },
  {
    name: 'a large number',
    text: `${head}spec:\n  a: 12345678901234567890\n`,
    says: 'line 6, column 6: the number 12345678901234567890 is too large to be kept exactly (beyond 2^53); write it in quotes',
  },
  {
    name: 'a large number in JSON',
    text: '{"apiVersion":"v1",\n"a":9007199254740993}',
    says: 'line 2, column 5: the number 9007199254740993 is too large to be kept exactly (beyond 2^53); write it in quotes',
  },
  {
    name: 'two objects of JSON',
    text: '{}{}',
    says: 'line 1, column 3: end of the stream or a document separator is expected',
  },
  {
    name: 'a template that was not filled in',
    text: `${head}spec: {{ .Values.spec }}\n`,
    says: 'line 5, column 10: a key must be a text; write quotes around it',
  },
  {
    name: 'a conflict of a merge',
    text: `<<<<<<< HEAD\n${head}=======\n`,
    says: 'line 2, column 11: end of the stream or a document separator is expected',
  },
  {
    name: 'a Git LFS pointer',
    text: 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
    says: 'it is a Git LFS pointer, not the file itself; take it out of LFS in .gitattributes',
  },
  {
    name: 'more than 512 KiB',
    text: `${head}# ${'x'.repeat(512 * 1024)}`,
    says: 'it is larger than 512 KiB; make it smaller',
  },
];

describe('parseManifest', () => {
  for (const { name, text } of accepted) {
    it(`accepts ${name}`, () => {
      const expected = { apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'x-' } };
      assert.deepEqual(parseManifest(text), expected);
    });
  }

  for (const { name, text, says } of refused) {
    it(`refuses ${name}: ${says.slice(0, 60)}`, () => {
      const { reason, message } = refusalOf(text);
      assert.equal(reason, 'ManifestInvalid');
      assert.equal(message, `The manifest cannot be used: ${says}.`);
    });
  }

  it('leaves a missing metadata for the kind to refuse', () => {
    for (const text of ['kind: List\napiVersion: v1', 'kind: List\napiVersion: v1\nmetadata:\n']) {
      assert.deepEqual(parseManifest(text), { apiVersion: 'v1', kind: 'List', metadata: {} });
    }
  });

  it('reads 512 KiB of dense YAML in a bounded time', () => {
    const text = `${head}a: [${'1,'.repeat(250_000)}]`;
    const started = cpuMs();
    assert.equal((parseManifest(text)['a'] as unknown[]).length, 250_000);
    assert.ok(cpuMs() - started < 5000);
  });

  it('reads JSON.stringify of anything as JSON.parse does, or refuses with ManifestInvalid', () => {
    const frame = { apiVersion: 'v1', kind: 'X', metadata: {} };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const json = JSON.stringify({ ...frame, value });
        const read = accept(json);
        if (read !== undefined)
          assert.deepEqual(
            read,
            JSON.parse(json, (_, one) => (Object.is(one, -0) ? 0 : one)),
          );
      }),
      { numRuns: 300 },
    );
  });

  it('meets any text with an object or with ManifestInvalid', () => {
    const pieces = [
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '"',
      "'",
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a ',
      '*a',
      '!x ',
      '|',
      '>',
      '#',
      '---\n',
      '%',
      '\t',
      '\0',
      '<<: ',
      '? ',
      '\u2028',
      '\ud800',
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 5 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(text, (parts) => {
        accept(parts.join(''));
        accept(head + parts.join(''));
      }),
      { numRuns: 500 },
    );
  });
});

/** The object; undefined where the text was refused as it should be. Any other error is thrown. */
function accept(text: string): unknown {
  try {
    return parseManifest(text);
  } catch (error) {
    if (error instanceof TerminalError && error.reason === 'ManifestInvalid') return undefined;
    throw error;
  }
}
