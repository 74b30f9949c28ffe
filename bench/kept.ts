// The figures that are kept in the repository: docs/performance.json. Called by main.ts.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results } from './results.ts';

const file = join(import.meta.dirname, '../docs/performance.json');

/** Undefined where none are kept. */
export async function readKept(): Promise<Results | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Results);
}

/** Writes them, and returns what is kept now: of the groups that were not measured this time, what was kept before. */
export async function writeKept(results: Results, before: Results | undefined): Promise<Results> {
  const measured = new Set(results.groups.map(({ name }) => name));
  const others = before?.groups.filter(({ name }) => !measured.has(name)) ?? [];
  const kept = { ...results, groups: [...others, ...results.groups] };
  await writeFile(file, `${JSON.stringify(kept, rounded, 2)}\n`);
  return kept;
}

/** More digits than were measured would only make differences. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
