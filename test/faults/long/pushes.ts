// The pushes of a long run: commits made in bulk, one line of them on each GitHook's branch, before anything starts.
// Called by bench/groups as well.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitServer, Repository } from '../../env/git-server.ts';
import { jobManifest } from '../../env/scenario.ts';

/** Each GitHook has a branch of its own. */
export const hooksOfRepository = 10;

export interface HookPlan {
  readonly namespace: string;
  readonly name: string;
  /** acme/app-3 */
  readonly repository: string;
  readonly branch: string;
}

/** One push; no other has its commit. */
export interface Push {
  readonly hook: HookPlan;
  readonly commit: string;
  readonly before: string;
  /** The delivery's id, the same whenever it is sent. */
  readonly id: string;
}

export function planHooks(count: number, namespaces: readonly string[]): readonly HookPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    namespace: namespaces[index % namespaces.length] ?? '',
    name: `hook-${index}`,
    repository: `acme/app-${Math.floor(index / hooksOfRepository)}`,
    branch: `line-${index % hooksOfRepository}`,
  }));
}

/** Makes the repositories with at least `count` commits, and returns the pushes that bring them, one GitHook after another. */
export async function makePushes(
  git: Pick<GitServer, 'createRepository'>,
  hooks: readonly HookPlan[],
  count: number,
): Promise<readonly Push[]> {
  const each = Math.ceil(count / hooks.length);
  const lines: (readonly Push[])[] = [];
  for (const name of new Set(hooks.map(({ repository }) => repository))) {
    const repository = await git.createRepository(name);
    const own = hooks.filter((hook) => hook.repository === name);
    lines.push(...(await importLines(repository, own, each)));
  }
  const rounds = Array.from({ length: each }, (_, round) => lines.flatMap((line) => line[round] ?? []));
  return rounds.flat().slice(0, count);
}

/** Mark 1 is the manifest, the commits follow, line by line. */
async function importLines(
  repository: Repository,
  hooks: readonly HookPlan[],
  each: number,
): Promise<readonly (readonly Push[])[]> {
  const parts = [`blob\nmark :1\n${data(jobManifest)}`];
  const markOf = (line: number, round: number): number => 2 + line * each + round;
  for (const [line, { branch }] of hooks.entries()) {
    for (let round = 0; round < each; round++) {
      const from = round === 0 ? '' : `from :${markOf(line, round - 1)}\n`;
      const message = `${repository.name} ${branch} ${round}`;
      parts.push(
        `commit refs/heads/${branch}\nmark :${markOf(line, round)}\ncommitter Ada <ada@example.com> 1700000000 +0000\n`,
        `${data(message)}${from}M 100644 :1 job.yaml\n`,
      );
    }
  }
  const file = join(repository.path, 'marks-of-the-import');
  await repository.git(['fast-import', '--quiet', `--export-marks=${file}`], { input: parts.join('') });
  const marks = readMarks(await readFile(file, 'utf8'));
  return hooks.map((hook, line) =>
    Array.from({ length: each }, (_, round) => ({
      hook,
      commit: marks.get(markOf(line, round)) ?? '',
      before: round === 0 ? '0'.repeat(40) : (marks.get(markOf(line, round - 1)) ?? ''),
      id: randomUUID(),
    })),
  );
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** Lines of ":mark id". */
function readMarks(text: string): ReadonlyMap<number, string> {
  const lines = text.trim().split('\n');
  return new Map(lines.map((line) => [Number(line.slice(1, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]));
}
