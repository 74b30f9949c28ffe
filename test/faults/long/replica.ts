// One replica of a long run: kube-git as a child process that is killed, stopped and started again, on the same port, with
// the same temporary folder and the same pod name, as its container is in a cluster.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from '../../env/cluster.ts';
import { type KubeGit, type KubeGitOptions, startKubeGit } from '../../env/kube-git.ts';
import { isAlive } from '../../env/processes.ts';
import type { FaultProxy } from '../../env/proxy.ts';

/** What Node takes as its heap's limit where the container has 1 GiB, as the Deployment says. */
const heap = '--max-old-space-size=512';

/** Kubernetes kills 30 s after SIGTERM; kube-git promises to be gone in half of that. */
const stopWithinMs = 20_000;

export interface ReplicaOptions {
  readonly name: string;
  readonly port: number;
  readonly apiProxy: FaultProxy;
  /** Its own, for temporary files. */
  readonly folder: string;
  readonly common: KubeGitOptions;
}

export class Replica {
  readonly name: string;
  readonly url: string;
  readonly apiProxy: FaultProxy;
  readonly folder: string;
  /** What it did that it must not, such as ending by itself. */
  readonly misdeeds: string[] = [];
  /** The output of the lives that are over, for a person who looks for a failure's cause. */
  readonly #earlier: string[] = [];
  readonly #t: TestContext;
  readonly #options: ReplicaOptions;
  #current: KubeGit | undefined;
  #pid = 0;

  constructor(t: TestContext, options: ReplicaOptions) {
    this.#t = t;
    this.#options = options;
    this.name = options.name;
    this.url = `http://127.0.0.1:${options.port}`;
    this.apiProxy = options.apiProxy;
    this.folder = options.folder;
  }

  get pid(): number {
    return this.#pid;
  }

  isUp(): boolean {
    return this.#current !== undefined;
  }

  leads(): boolean {
    const said = this.#current?.lines.findLast(({ msg }) => msg === 'leading' || msg === 'leading no more');
    return said?.msg === 'leading';
  }

  /** Starts it and waits until it is ready. Tried again where the machine is too busy for it. */
  async start({ early }: { readonly early: boolean }): Promise<void> {
    const { common, name, port, folder } = this.#options;
    const temporary = join(folder, 'tmp');
    await mkdir(temporary, { recursive: true });
    for (let attempt = 1; ; attempt++) {
      try {
        this.#current = await startKubeGit(this.#t, {
          ...{ ...common, port, early, master: this.apiProxy.url },
          env: { POD_NAME: name, POD_NAMESPACE: 'default', TMPDIR: temporary, NODE_OPTIONS: heap },
          onSpawn: (pid) => {
            this.#pid = pid;
          },
        });
        return;
      } catch (error) {
        if (attempt === 5) throw error;
        await this.#killPid();
      }
    }
  }

  async kill(): Promise<void> {
    const current = this.#gone();
    await current?.kill();
  }

  /** SIGTERM, as a rolling update does. */
  async terminate(): Promise<void> {
    const current = this.#gone();
    if (current === undefined) return;
    const late = new AbortController();
    const timer = delay(stopWithinMs, undefined, { signal: late.signal }).then(
      () => current.kill(),
      () => undefined,
    );
    const code = await current.stop('SIGTERM');
    late.abort();
    await timer;
    if (code !== 0) this.misdeeds.push(`${this.name} ended with ${code} after SIGTERM: ${tail(current.output())}`);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (isAlive(this.#pid)) process.kill(this.#pid, signal);
  }

  /** Notes and mends what nobody asked for: an end by itself. */
  async lookAfter(): Promise<void> {
    if (this.#current === undefined || isAlive(this.#pid)) return;
    this.misdeeds.push(`${this.name} ended by itself: ${tail(this.#current.output())}`);
    this.#gone();
    await this.start({ early: true });
  }

  /** Lines of its log that hold one of the words, of all its lives. */
  linesAbout(words: readonly string[]): readonly string[] {
    const all = [...this.#earlier, this.#current?.output() ?? ''].flatMap((text) => text.split('\n'));
    return all.filter((line) => words.some((word) => word !== '' && line.includes(word)));
  }

  #gone(): KubeGit | undefined {
    const current = this.#current;
    if (current !== undefined) this.#earlier.push(current.output());
    this.#current = undefined;
    return current;
  }

  async #killPid(): Promise<void> {
    const pid = this.#pid;
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await delay(20);
  }
}

function tail(output: string): string {
  return output.slice(-1500);
}
