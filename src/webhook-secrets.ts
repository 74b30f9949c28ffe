// The secrets that forges sign their deliveries with: the one in use and, while it is being replaced, the one before. Pure;
// called by config.ts.

/** By a forge's name: none where its path answers 401 to everything, the present one first. */
export type WebhookSecrets = Readonly<Record<'github' | 'gitea', readonly string[]>>;

/** GitHub takes secrets of any length; what is shorter than 128 bits can be guessed from one signed delivery. */
const minSecretBytes = 16;

const forges = [
  { forge: 'github', title: 'GitHub', variable: 'GITHUB_WEBHOOK_SECRET' },
  { forge: 'gitea', title: 'Gitea', variable: 'GITEA_WEBHOOK_SECRET' },
] as const;

/** `flags`: what the command line says, '' for nothing. The environment goes before it; the secret before is in the environment only. */
export function readWebhookSecrets(
  flags: Readonly<Record<'github' | 'gitea', string>>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly secrets: WebhookSecrets; readonly warnings: readonly string[] } {
  const found = forges.map(({ forge, title, variable }) => {
    const named = [
      { name: `the ${title} webhook secret`, secret: env[variable] || flags[forge] },
      { name: `the previous ${title} webhook secret`, secret: env[`${variable}_PREVIOUS`] ?? '' },
    ];
    const secrets = named.map(({ secret }) => secret).filter((secret) => secret.trim() !== '');
    const warnings = named.flatMap(({ name, secret }, index) =>
      warningsOf(name, secret, index === 0 ? forge : undefined),
    );
    return { forge, secrets, warnings };
  });
  const secretsOf = (forge: string): readonly string[] => found.find((one) => one.forge === forge)?.secrets ?? [];
  return {
    secrets: { github: secretsOf('github'), gitea: secretsOf('gitea') },
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

/** `forge`: whose path has no other secret. */
function warningsOf(name: string, secret: string, forge: string | undefined): string[] {
  if (secret === '') return [];
  if (secret.trim() === '') {
    const consequence = forge === undefined ? '' : `: /${forge} answers 401 to everything`;
    return [`${name} is white space only, which counts as none${consequence}`];
  }
  const warnings: string[] = [];
  if (Buffer.byteLength(secret) < minSecretBytes) {
    warnings.push(`${name} is shorter than ${minSecretBytes} bytes and can be guessed: make a longer one`);
  }
  if (secret.trim() !== secret) warnings.push(`${name} begins or ends with white space, which counts as part of it`);
  return warnings;
}
