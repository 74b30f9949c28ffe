// The tables and plots of docs/performance.md, made of what is kept. Called by main.ts. Each group has a place of its own in the
// page, between two marks; the words around them are written by hand.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plotOf } from './plot.ts';
import type { Measured, Results } from './results.ts';
import { tableOf } from './table.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/performance.md');
const data = join(root, 'docs/performance.json');
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');

/** Throws where the page has no place for a group. */
export async function writePage(results: Results): Promise<void> {
  await mkdir(join(root, 'docs/performance'), { recursive: true });
  let text = await readFile(page, 'utf8');
  text = replaced(text, 'machine', `${results.machine}. Measured on ${results.date} with \`${results.command}\`.`);
  for (const group of results.groups) {
    const plot = plotOf(group);
    if (plot !== undefined) await writeFile(join(root, `docs/performance/${group.name}.svg`), plot);
    text = replaced(text, group.name, sectionOf(group, plot !== undefined));
  }
  await writeFile(page, text);
  execFileSync(process.execPath, [biome, 'format', '--write', page, data], { stdio: 'ignore' });
}

function sectionOf({ name, title, figures, seconds }: Measured, hasPlot: boolean): string {
  const plot = hasPlot ? `![${title}](performance/${name}.svg)\n\n` : '';
  const made = `\`npm run bench -- ${name}\` makes ${hasPlot ? 'both' : 'it'} anew, in about ${Math.ceil(seconds / 60)} min.`;
  return `${plot}${tableOf(figures)}\n\n${made}`;
}

function replaced(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} does not have ${begin} and ${end}`);
  return `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`;
}
