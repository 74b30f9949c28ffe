// Every npm script starts here: installs the packages when package-lock.json has changed, then runs the given
// script under Node 24. Plain JavaScript without dependencies, because it must work under any Node from 16 on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = join(root, 'node_modules');
const stamp = join(packages, '.installed-lock');
const wanted = 24; // major version: src/ is TypeScript that Node runs as it is, and 20 is past its end

/** Installs the locked packages unless the ones here were installed from this very lock file. */
function ensurePackages() {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('Installing packages (npm ci), once; this takes about 20 seconds …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail('npm ci failed (above). Check that the npm registry can be reached, then start again.');
  writeFileSync(stamp, lock);
}

/** The Node to use: the one from npm where there is a build for this machine, else this one if it is new enough. */
function findNode() {
  const own = join(packages, '.bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= wanted) return process.execPath;
  return fail(
    `Node ${wanted} or newer is needed and npm has no build of it for this machine: install it from nodejs.org.`,
  );
}

function fail(message) {
  process.stderr.write(`kube-git: ${message}\n`);
  process.exit(1);
}

ensurePackages();
const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(packages, '.bin')}:${process.env.PATH}` },
});
// A terminal's Ctrl-C reaches the child by itself; a kill of this process alone must reach it too.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)));
