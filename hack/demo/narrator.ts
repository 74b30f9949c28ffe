// Turns what is seen into lines for people, and keeps the story of each push. Knows no network: it is told everything.
import type { GitHookRun } from '../../src/api/githookrun.ts';
import { annotations, runLabel } from '../../src/api/keys.ts';
import type { GitFetch } from '../../test/env/forge/git-front.ts';
import { describe, type Telling } from './describe.ts';
import type { Job, Observation } from './observation.ts';
import { type Outcome, Story } from './story.ts';
import { formatLine, type Style } from './timeline.ts';

export interface NarratorOptions {
  readonly style: Style;
  /** Gets whole lines, without their ends. */
  readonly write: (line: string) => void;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** From when on to count before the first push. */
  readonly startedAt: number;
}

export class Narrator {
  readonly #options: NarratorOptions;
  readonly #stories: Story[] = [];
  /** The commit (or tag object) a manifest was pushed with, by the manifest's object id. */
  readonly #manifests = new Map<string, string>();
  #wake = Promise.withResolvers<void>();

  constructor(options: NarratorOptions) {
    this.#options = options;
  }

  /** Says which object holds the manifest of a push, so that its fetch can be recognised. */
  knowManifest(objectId: string, after: string): void {
    this.#manifests.set(objectId, after);
  }

  observe(observation: Observation): void {
    if (observation.kind === 'push') this.#stories.push(new Story(observation.push.after, this.#options.now()));
    const story = this.#storyOf(observation);
    if (!story && observation.kind === 'fetch') return; // a clone, or the commit without its files
    for (const telling of describe(observation)) this.#tell(telling, story);
  }

  /**
   * Resolves when the push of `commit` has come to the end it was meant to have. Rejects with what is missing when
   * nothing new happens for `deadlineMs`, when the run ends otherwise, and with the signal's reason.
   */
  async until(after: string, outcome: Outcome, { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal }) {
    for (;;) {
      const story = this.#about(after);
      const missing = (story ?? new Story(after, 0)).missing(outcome);
      if (missing.length === 0) return;
      if (story?.contradicts(outcome)) throw new Error(`The run did not end as ${outcome}.`);
      const news = await inTime(this.#wake.promise, deadlineMs, signal);
      if (!news) throw new Error(`Nothing new happened for ${deadlineMs / 1000} s. Missing: ${missing.join(', ')}.`);
    }
  }

  #tell({ step, once, ...telling }: Telling, story: Story | undefined): void {
    if (once !== undefined && story?.isNews(once) === false) return;
    if (step) story?.note(step);
    const last = this.#stories.at(-1);
    const elapsedMs = this.#options.now() - ((story ?? last)?.startedAt ?? this.#options.startedAt);
    const detail = story && story !== last ? `${telling.detail.trim()} (${story.after.slice(0, 7)})` : telling.detail;
    this.#options.write(formatLine({ ...telling, detail, elapsedMs }, this.#options.style));
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  #storyOf(observation: Observation): Story | undefined {
    switch (observation.kind) {
      case 'push':
        return this.#about(observation.push.after);
      case 'delivery':
        return this.#about((JSON.parse(observation.delivery.request.body) as { after?: string }).after);
      case 'fetch':
        return this.#storyOfFetch(observation.fetch);
      case 'run':
        return this.#storyOfRun(observation.run);
      case 'job':
        return this.#storyOfJob(observation.job);
      case 'log':
        return this.#known(observation.pod.metadata.ownerReferences?.[0]?.uid);
      case 'status':
        return this.#about(observation.status.sha);
      case 'message':
        return this.#storyNamedIn(JSON.stringify(observation.message.body));
    }
  }

  /** The newest push of that commit (or tag object). */
  #about(commit: string | undefined): Story | undefined {
    return this.#stories.findLast((story) => commit !== undefined && story.commits.has(commit));
  }

  #known(id: string | undefined): Story | undefined {
    return this.#stories.find((story) => id !== undefined && story.ids.has(id));
  }

  #storyOfRun({ metadata, spec }: GitHookRun): Story | undefined {
    const story = this.#known(metadata.name) ?? this.#about(spec.after);
    story?.ids.add(metadata.name ?? '');
    story?.commits.add(spec.commit);
    return story;
  }

  #storyOfJob({ metadata }: Job): Story | undefined {
    const { name, uid, labels, annotations: notes } = metadata;
    const story = this.#known(uid) ?? this.#known(labels?.[runLabel]) ?? this.#about(notes?.[annotations.commit]);
    story?.ids.add(uid).add(name);
    return story;
  }

  /** A fetch with a filter brings no files unless it asks for them; one without brings the manifest with the commit. */
  #storyOfFetch({ wants, filter }: GitFetch): Story | undefined {
    const ids = wants.map((want) => this.#manifests.get(want) ?? (filter ? undefined : want));
    return this.#about(ids.find((id) => id !== undefined));
  }

  #storyNamedIn(text: string): Story | undefined {
    const named = (words: ReadonlySet<string>): boolean => [...words].some((word) => text.includes(word));
    return this.#stories.findLast(({ ids }) => named(ids)) ?? this.#stories.findLast(({ commits }) => named(commits));
  }
}

/** True when it came in time. Rejects with the signal's reason. */
async function inTime(news: Promise<void>, deadlineMs: number, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), deadlineMs);
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([news.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
