// Whether this machine can run a node at all, in one sentence a person can act on. Asked before anything is made.
import { SetupError } from '../setup-error.ts';

const otherwise = 'or use a cluster you have with "npm run demo -- --context NAME"';

/** Throws where pods cannot be run: not Linux, or not root. */
export function requireLinuxRoot(): void {
  if (process.platform !== 'linux') {
    throw new SetupError(
      `a node with real pods needs Linux, this is ${process.platform}: run it on a Linux machine, ${otherwise}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      `a node with real pods needs root (namespaces, cgroups, mounts): run it with sudo, ${otherwise}`,
    );
  }
}

/** The error for programs that are missing where apt-get cannot bring them. */
export function missingPrograms(packages: readonly string[], cause?: unknown): Error {
  const names = packages.join(', ');
  return new SetupError(
    `a node with real pods needs ${names}: install ${names} with your package manager, ${otherwise}`,
    { cause },
  );
}
