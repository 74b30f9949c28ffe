// One of kube-git's pods. At all times it knows the GitHooks, for the receiver, which every replica has; while it holds the
// Lease it advances runs as well. Made by main.
import type { GitHook } from '../api/githook.ts';
import { gitHookType } from '../api/keys.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Election } from '../kube/election.ts';
import { fenced } from '../kube/fenced.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ControllerDeps } from './contexts.ts';
import { Controller } from './controller.ts';
import { indexValues } from './githook/githook.ts';
import { notListed } from './not-listed.ts';
import { watchOptions } from './watches.ts';

export interface ReplicaDeps extends Omit<ControllerDeps, 'kube' | 'gitHooks' | 'leads'> {
  readonly client: KubeClient;
  readonly election: Election;
}

export class Replica {
  readonly gitHooks: Reflector<GitHook>;
  readonly #deps: ReplicaDeps;
  /** While this replica leads. */
  #controller: Controller | undefined;
  /** Why the last list or watch of GitHooks ended. */
  #error: unknown;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.gitHooks = new Reflector<GitHook>({
      ...watchOptions(deps, (_, error) => {
        this.#error = error;
      }),
      type: gitHookType,
      indexBy: indexValues,
      onChange: ({ kind, object }) => this.#controller?.gitHookChanged(kind, object),
    });
  }

  /** What is not there yet of what a delivery or a run needs, each in words and with the reason. */
  waitingFor(): readonly string[] {
    return [
      ...(this.gitHooks.hasSynced() ? [] : [notListed(gitHookType, this.#error)]),
      ...(this.#controller?.waitingFor() ?? this.#deps.election.waitingFor()),
    ];
  }

  /** To be called when the notification file has changed. */
  entriesChanged(): void {
    this.#controller?.entriesChanged();
  }

  /** Works until the signal is aborted, then ends what is under way at its next safe point and gives the Lease away. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const lead = (term: AbortSignal): Promise<void> => this.#lead(term);
    await Promise.all([this.gitHooks.run(signal), this.#deps.election.run(signal, lead)]);
  }

  async #lead(term: AbortSignal): Promise<void> {
    const { client, election, metrics } = this.#deps;
    const leads = (): boolean => !term.aborted && election.isFresh();
    const controller = new Controller({
      ...this.#deps,
      ...{ gitHooks: this.gitHooks, kube: fenced(client, leads), leads },
    });
    this.#controller = controller;
    metrics.leader.set(1);
    await controller.run(term);
    this.#controller = undefined;
    metrics.leader.set(0);
  }
}
