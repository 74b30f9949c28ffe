// One push of each forge as it sends it, and how it signs: what the tests that hold for every forge are fed with. A new
// forge is one more entry.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Delivery } from '../../src/forge/forge.ts';

export interface DeliveryOptions {
  readonly secret: string;
  /** Default: push. */
  readonly event?: string;
  /** Whether the JSON is sent as a field of a form. Default: as it is. */
  readonly form?: boolean;
}

export interface ForgeSample {
  readonly forge: string;
  /** The JSON of a push of a branch. */
  readonly push: string;
  /** Headers with signatures, each of which may be missing. */
  readonly signatures: readonly string[];
  /** The header that names the event. */
  readonly event: string;
  /** The delivery of a payload. */
  deliver(json: string, options: DeliveryOptions): Delivery;
}

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');
const formOf = (json: string): string => new URLSearchParams({ payload: json }).toString();
const typeOf = (form = false): string => (form ? 'application/x-www-form-urlencoded' : 'application/json');

/** What the package has examples of: github.com and versions of GitHub Enterprise Server. */
export const githubServers = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'] as const;

/** GitHub's own examples of all events; the package's declared types are of its module, not of the file. */
export function githubExamples(
  server: (typeof githubServers)[number] = 'api.github.com',
): readonly { name: string; examples: Record<string, unknown>[] }[] {
  const file = new URL(`../${server}/index.json`, import.meta.resolve('@octokit/webhooks-examples'));
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** A delivery recorded from Gitea 1.26, whose webhook had the secret below. */
export function recordedFromGitea(name: string): { readonly headers: Record<string, string>; readonly body: string } {
  return JSON.parse(readFileSync(new URL(`../../src/forge/testdata/gitea/${name}.json`, import.meta.url), 'utf8'));
}

export const recordedSecret = 'the secret of the recording';

const github: ForgeSample = {
  forge: 'github',
  push: JSON.stringify(
    githubExamples()
      .find(({ name }) => name === 'push')
      ?.examples.find((payload) => payload['ref'] === 'refs/heads/master'),
  ),
  signatures: ['x-hub-signature-256'],
  event: 'x-github-event',
  deliver: (json, { secret, event = 'push', form }) => {
    const body = form ? formOf(json) : json;
    const signature = { 'x-hub-signature-256': `sha256=${hmac(secret, body)}` };
    const headers = { 'content-type': typeOf(form), 'x-github-event': event, 'x-github-delivery': '72d3162e-cc78' };
    return { headers: { ...headers, 'x-github-hook-id': '292430182', ...signature }, body: Buffer.from(body) };
  },
};

const gitea: ForgeSample = {
  forge: 'gitea',
  push: recordedFromGitea('push').body,
  signatures: ['x-gitea-signature', 'x-hub-signature-256'],
  event: 'x-gitea-event',
  deliver: (json, { secret, event = 'push', form }) => {
    const { headers } = recordedFromGitea('push');
    const hex = hmac(secret, json);
    const signatures = { 'x-gitea-signature': hex, 'x-hub-signature-256': `sha256=${hex}` };
    const named = { 'x-gitea-event': event, 'x-github-event': event, 'content-type': typeOf(form) };
    return { headers: { ...headers, ...named, ...signatures }, body: Buffer.from(form ? formOf(json) : json) };
  },
};

export const forgeSamples: readonly ForgeSample[] = [github, gitea];
