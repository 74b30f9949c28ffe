// A private certificate authority, its certificate in a file as -ca-file takes it. For tests of TLS.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type KeyPair } from './certificates.ts';

interface Test {
  after(fn: () => unknown): void;
}

export interface PrivateAuthority {
  /** Its certificate, PEM, in a file. */
  readonly file: string;
  issue(names: readonly string[]): KeyPair;
}

/** A new authority whose file goes with the test. */
export async function privateAuthority(t: Test): Promise<PrivateAuthority> {
  const authority = createAuthority('A company of the tests');
  const folder = await mkdtemp(join(tmpdir(), 'kube-git-ca-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ca.pem');
  await writeFile(file, `Our own authority\n${authority.certificate}`);
  return { file, issue: (names) => authority.issue({ commonName: names[0] ?? '', names }) };
}
