// A developer's copy of the demo's repository: writes files, commits and pushes them with the real git.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from '../../test/env/git-repository.ts';
import { SetupError } from '../../test/env/setup-error.ts';

export interface WorkingCopy {
  /** Writes the file and commits it. Returns the commit, and the object id of the file in it. */
  commit(file: { readonly path: string; readonly text: string; readonly message: string }): Promise<Commit>;
  /** git push origin main */
  push(): Promise<void>;
}

export interface Commit {
  readonly id: string;
  readonly fileId: string;
}

const author = {
  GIT_AUTHOR_NAME: 'Ada Lovelace',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada Lovelace',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** A new repository in `folder`, on branch main, whose origin is `url`. */
export async function createWorkingCopy(folder: string, url: string): Promise<WorkingCopy> {
  await mkdir(folder);
  const git = (...args: string[]): Promise<string> => runGit(folder, args, { env: author });
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', url);
  return {
    commit: async ({ path, text, message }) => {
      await writeFile(join(folder, path), text);
      await git('add', '--', path);
      await git('commit', '--quiet', '-m', message);
      return { id: await git('rev-parse', 'HEAD'), fileId: await git('rev-parse', `HEAD:${path}`) };
    },
    push: async () => void (await git('push', '--quiet', 'origin', 'main')),
  };
}

/** Throws SetupError where there is no git. */
export async function requireGit(): Promise<void> {
  try {
    await runGit('/', ['--version']);
  } catch (cause) {
    throw new SetupError('git is missing: install it (on Debian and Ubuntu: apt-get install git) and start again.', {
      cause,
    });
  }
}
