// What was found, as the text of a manifest. Called by all ways of the manifest source; pure.
import { TerminalError } from '../errors.ts';
import type { Wanted } from './validate.ts';

/** The text of a file. Throws TerminalError NotText. */
export function contentOf(content: Uint8Array, { path, commit }: Wanted): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    if (!text.includes('\0')) return text;
  } catch {
    // Not UTF-8: said below, as for NUL.
  }
  throw new TerminalError(
    'NotText',
    `${path} at commit ${commit.slice(0, 12)} is no UTF-8 text: save the manifest as UTF-8`,
  );
}

export function manifestTooLarge({ path, commit }: Wanted, bytes: number): TerminalError {
  return new TerminalError(
    'ManifestTooLarge',
    `${path} at commit ${commit.slice(0, 12)} is larger than ${bytes / 1024} KiB`,
  );
}
