// A push that no webhook tells of is found by comparing refs. Killed at every call that this takes, from the push on.
import { test } from 'node:test';
import { Lanes } from './lane.ts';
import { type Moment, moments, type Nemesis, type Point } from './points.ts';
import { buildProgram } from './program.ts';
import { pushUnheard } from './push.ts';
import { type Case, prove } from './results.ts';
import { play, type Story } from './scenario.ts';
import { atOnce, sample } from './size.ts';
import { lookedAtAll, pollNoMore, pollSoon } from './trouble.ts';

/** Points are counted from the push on: before it nobody knows how often kube-git has looked. */
class SincePush {
  readonly #counts = new Map<string, number>();
  #armed = false;

  arm(): void {
    this.#armed = true;
  }

  /** The point's name, counted anew; undefined before the push. */
  nameOf({ name }: Point): string | undefined {
    if (!this.#armed) return undefined;
    const what = name.replace(/ #\d+$/, '');
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return `${what} #${count}`;
  }
}

function story(since: SincePush, nemesis: Nemesis): Omit<Story, 'program'> {
  return {
    ...{ polled: true, args: pollSoon, nemesis, atLast: pollNoMore },
    arrive: async (scene, manifest) => {
      await lookedAtAll(scene);
      since.arm();
      await pushUnheard(scene.lane, manifest);
    },
  };
}

/** What finding it takes, and the first reading of its run; what comes after is the same for every run, and may come or not. */
const finding =
  /^(?:(?:GET|POST|PUT) (?:configmaps|info\/refs|git-upload-pack) |(?:POST|PUT) githookruns |GET githookruns #1$)/;
/** Later ones are looks that go on while the run does. */
const looks = 4;

test('a crash while a lost push is looked for loses nothing and doubles nothing', {
  timeout: 3_600_000,
  concurrency: atOnce,
}, async (t) => {
  const program = await buildProgram(t);
  const points = new Set<string>();
  const noting = new SincePush();
  const note: Nemesis = (point) => {
    const name = noting.nameOf(point);
    if (name !== undefined && finding.test(name) && Number(name.split('#')[1]) <= looks) points.add(name);
    return undefined;
  };
  await new Lanes(t).use((lane) => play(lane, { ...story(noting, note), program }));
  const cases = [...points].flatMap((row) =>
    (Object.keys(moments) as Moment[]).map(
      (column): Case => ({
        ...{ row, column },
        run: async (lane) => {
          const since = new SincePush();
          let struck = false;
          const kill: Nemesis = (point, hand) => {
            if (since.nameOf(point) !== row || struck) return undefined;
            struck = true;
            return moments[column](hand);
          };
          const { violations, crashes } = await play(lane, { ...story(since, kill), program });
          return { met: crashes > 0, violations };
        },
      }),
    ),
  );
  await prove(t, 'crash, unheard', sample(cases, { short: 6 }, 'unheard'));
});
