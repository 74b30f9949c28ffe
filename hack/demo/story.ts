// What has happened of one push so far, and what is still missing. Pure; kept by the narrator.

/** How a push is meant to end. */
export type Outcome = 'Succeeded' | 'Failed';

/** What can be seen of a push from outside, in the words a person is told. */
export type Step =
  | 'push received by the forge'
  | 'delivery answered with 202'
  | 'run recorded'
  | 'manifest fetched'
  | 'Job created'
  | 'pod log'
  | `run ended as ${Outcome}`
  | `commit status ${'pending' | 'success' | 'failure'}`
  | `Slack message ${'started' | 'succeeded' | 'failed'}`;

const always: readonly Step[] = [
  'push received by the forge',
  'delivery answered with 202',
  'run recorded',
  'manifest fetched',
  'Job created',
  'commit status pending',
  'Slack message started',
  'pod log',
];

const atTheEnd: Readonly<Record<Outcome, readonly Step[]>> = {
  Succeeded: ['run ended as Succeeded', 'commit status success', 'Slack message succeeded'],
  Failed: ['run ended as Failed', 'commit status failure', 'Slack message failed'],
};

/** One push, known by what the ref is now. */
export class Story {
  /** The commit, or the object of an annotated tag. */
  readonly after: string;
  /** On the narrator's clock. */
  readonly startedAt: number;
  /** The commits it is about; other pushes may be about them too. */
  readonly commits: Set<string>;
  /** Names and UIDs that can only mean this push: of its runs and Jobs. */
  readonly ids = new Set<string>();
  readonly #done = new Set<Step>();
  readonly #lines = new Set<string>();

  constructor(after: string, startedAt: number) {
    this.after = after;
    this.startedAt = startedAt;
    this.commits = new Set([after]);
  }

  /** Whether it is told for the first time: objects are seen again and again. */
  isNews(line: string): boolean {
    if (this.#lines.has(line)) return false;
    this.#lines.add(line);
    return true;
  }

  note(step: Step): void {
    this.#done.add(step);
  }

  /** The steps that have to happen yet until the push has ended as it was meant to. */
  missing(outcome: Outcome): Step[] {
    return [...always, ...atTheEnd[outcome]].filter((step) => !this.#done.has(step));
  }

  /** Whether the run ended in another way: then waiting is in vain. */
  contradicts(outcome: Outcome): boolean {
    return this.#done.has(`run ended as ${outcome === 'Succeeded' ? 'Failed' : 'Succeeded'}`);
  }
}
