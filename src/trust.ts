// The certificates that servers are checked against: the system's and, with -ca-file, a company's own. One set for git,
// forges and chat. Called by main at the start; Kubernetes has its own in the kubeconfig. A leaf.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { messageOf } from './errors.ts';

/** All that are trusted, PEM each. Undefined without a file: then git and Node each trust what they do by default. Throws an Error for a person. */
export async function loadTrust(caFile: string): Promise<readonly string[] | undefined> {
  if (caFile === '') return undefined;
  const text = await readFile(caFile, 'utf8').catch((error: unknown) => {
    throw new Error(`-ca-file cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const own = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  if (own.length === 0) throw new Error(`-ca-file ${caFile} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`);
  for (const [index, certificate] of own.entries())
    check(certificate, `certificate ${index + 1} of -ca-file ${caFile}`);
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...own])];
}

function check(certificate: string, name: string): void {
  try {
    new X509Certificate(certificate);
  } catch (error) {
    throw new Error(`${name} is damaged: ${messageOf(error)}`, { cause: error });
  }
}
