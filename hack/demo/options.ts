// What npm run demo can be told. Pure; called by main.ts.
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/errors.ts';

export interface Options {
  /** End when both pushes came to their end. */
  readonly once: boolean;
  /** The context of the user's kubeconfig to use, instead of a cluster of the demo's own. */
  readonly context: string | undefined;
}

export type Parsed =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help'; readonly text: string }
  /** One sentence that says what to write instead. */
  | { readonly kind: 'error'; readonly text: string };

const help = `npm run demo -- [--once] [--context NAME]

Starts a Kubernetes cluster with a node on this machine, a small forge and kube-git, pushes a commit with git, and
shows what becomes of it: a Job, its log, a commit status, a message. Then it waits; Ctrl-C removes all of it.

  --once          End after the two pushes: exit 0 if all of it happened, else 1, and say what is missing.
  --context NAME  Use a cluster you have, by its name in your kubeconfig: no root and nothing to build. kube-git and the
                  forge run on this machine. In the cluster the CRDs are installed and a namespace kube-git-demo-…
                  is made, which is removed at the end; its pods must be able to run the image busybox.
                  Without this option no cluster of yours is ever touched, whatever KUBECONFIG says.
  --help          Show this.
`;

const known = {
  once: { type: 'boolean' },
  context: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the arguments, without the program's name, and what npm took of them. */
export function parseOptions(args: readonly string[], env: Environment): Parsed {
  try {
    const { values } = parseArgs({ args: [...takenByNpm(env), ...args], options: known });
    if (values.help) return { kind: 'help', text: help };
    if (values.context === '') return { kind: 'error', text: explained('The name of the context is empty') };
    return { kind: 'run', options: { once: values.once ?? false, context: values.context } };
  } catch (error) {
    const firstSentence = messageOf(error).split(/[.\n]/)[0] ?? ''; // the rest is advice for other programs
    return { kind: 'error', text: explained(firstSentence) };
  }
}

/** `npm run demo --once` without the second `--`: npm keeps such options for itself and says so in the environment. */
function takenByNpm({ npm_config_once: once, npm_config_context: context }: Environment): string[] {
  // Without a value of its own: NAME was another word, which npm has passed on as an argument.
  if (context === 'true') throw new Error('npm takes --context NAME apart, write npm run demo -- --context NAME');
  return [...(once === 'true' ? ['--once'] : []), ...(context ? [`--context=${context}`] : [])];
}

function explained(problem: string): string {
  return `${problem}: the options are --once, --context NAME (kubectl config get-contexts lists yours) and --help.`;
}
