// Every reason the program can give is explained in docs/githook.md, and every one explained there can be given.
// Reasons are literals in src by custom: this test reads them there.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));

/** What stands where a reason may stand; the group is a piece of code with one or more reasons in quotes. */
const places: readonly RegExp[] = [
  /new (?:TerminalError|WaitingError)\(\s*('\w+')/g,
  /\breason(?::| =| \?\?) ('\w+')/g,
  // A choice: const reason = … ? 'One' : 'Other', and the error's own reason or else 'Other'.
  /const (?:reason|\[reason, message\]) = ([^;]*);/g,
  /function (?:terminalReason|reasonOf)\([^)]*\)[^{]*\{(.*?)\n\}/gs,
  // job-phase.ts: running(reason, message). pods.ts: tables of the kubelet's reasons.
  /return (?:\{ \.\.\.)?running\(('\w+')/g,
  // receiver: outcome(delivery, decision, reason, message) and refusal(status, reason, message).
  /outcome\(\s*[\w.']+,\s*'\w+',\s*('\w+')/g,
  /refusal\(\s*\d+,\s*('\w+')/g,
];
/** Tables whose keys are reasons of Kubernetes, and the files that have them. */
const tableFiles = ['src/resource/job-phase.ts', 'src/resource/pods.ts'];
const tables = /const (?:advice|imageTroubles|containerTroubles): Readonly<Record<string, string>> = \{(.*?)\n\}/gs;

function reasonsIn(file: string): string[] {
  const code = read(file);
  const pieces = places.flatMap((place) => [...code.matchAll(place)].map(([, piece = '']) => piece));
  const quoted = pieces.flatMap((piece) => [...piece.matchAll(/'([A-Z]\w+)'/g)].map(([, reason = '']) => reason));
  const rows = tableFiles.includes(file) ? [...code.matchAll(tables)] : [];
  const keys = rows.flatMap(([, table = '']) => [...table.matchAll(/^ {2}(\w+):/gm)].map(([, key = '']) => key));
  return [...quoted, ...keys].filter((reason) => !notReasons.has(reason) && !notHere[file]?.includes(reason));
}

/** What the places above also hold: the decision of a GitHook that is looked at, and reasons of Kubernetes that are given another name. */
const notReasons = new Set(['RunCreated', 'ErrImagePull', 'OOMKilled']);
/** A container's reason there; elsewhere Argo's. */
const notHere: Readonly<Record<string, readonly string[]>> = { 'src/resource/pods.ts': ['Error'] };

/** What docs/githook.md explains: the first column of the tables below Reasons, and the Events in its text. */
function explained(): string[] {
  const [, part = ''] = read('docs/githook.md').split('\n## Reasons\n');
  const cells = [...part.matchAll(/^\|([^|]*)\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, reason = '']) => reason));
}

describe('reasons', () => {
  const given = new Set(sources.flatMap(reasonsIn));

  it('that the program gives are explained in docs/githook.md', () => {
    const [, text = ''] = read('docs/githook.md').split('\n## Reasons\n');
    assert.deepEqual([...given].filter((reason) => !text.includes(`\`${reason}\``)).sort(), []);
  });

  it('that docs/githook.md explains are given by the program', () => {
    assert.deepEqual(
      explained().filter((reason) => !given.has(reason)),
      [],
    );
    assert.ok(explained().length > 50);
  });

  it('are literals where an error is made, or another error’s, so that this test sees them', () => {
    const isLiteral = /new (?:TerminalError|WaitingError)\(\s*(?:'\w+'|terminalReason\(|\w+\.reason,)/;
    for (const file of sources) {
      const made = read(file).match(/new (?:TerminalError|WaitingError)\(\s*\S+/g) ?? [];
      for (const one of made) assert.match(one, isLiteral, file);
    }
  });

  it('are one word in CamelCase, as conditions want them', () => {
    for (const reason of given) assert.match(reason, /^[A-Z][A-Za-z]{2,62}$/);
  });
});

describe('events', () => {
  it('on a GitHook or a run are named in docs/githook.md', () => {
    const calls = sources.flatMap((file) => [
      ...read(file).matchAll(/(?:recorder\.event\((?:gitHook|run)|tell\(run), '\w+', '(\w+)'/g),
    ]);
    const names = calls.map(([, name = '']) => name);
    assert.ok(names.includes('PushIgnored') && names.includes('ResourceCreated') && names.includes('RerunStarted'));
    const page = read('docs/githook.md');
    for (const name of [...names, 'RunSucceeded', 'RunFailed', 'RunSkipped'])
      assert.ok(page.includes(`\`${name}\``), name);
  });
});
