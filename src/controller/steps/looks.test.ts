import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/env/manual-clock.ts';
import type { GitHookRun } from '../../api/githookrun.ts';
import { formatTime } from '../../clock.ts';
import { Looks } from './looks.ts';

const found = { reason: 'ImagePullBackOff', message: 'The image cannot be pulled.' };

function start() {
  const clock = new ManualClock();
  const run = (name: string, words: object = {}): GitHookRun =>
    ({
      metadata: { namespace: 'team', name },
      status: { phase: 'Running', startTime: formatTime(clock.now()), ...words },
    }) as unknown as GitHookRun;
  return { clock, looks: new Looks(clock), run };
}

describe('looks at the pods of a run', async () => {
  it('come after two seconds, then at half its age, then once a minute', async () => {
    const { clock, looks, run } = start();
    const one = run('one');
    const times: number[] = [];
    for (let look = 0; look < 14; look++) {
      const ms = looks.againMs(one);
      await clock.advance(ms - 1);
      assert.equal(looks.isDue(one), false);
      await clock.advance(1);
      assert.equal(looks.isDue(one), true);
      looks.note(one, undefined);
      times.push(ms);
    }
    assert.deepEqual([...times.slice(0, 6), ...times.slice(-2)], [2000, 2000, 2000, 3000, 4500, 6750, 60_000, 60_000]);
  });

  it('are not put off by being asked for again', async () => {
    const { clock, looks, run } = start();
    const one = run('one');
    looks.againMs(one);
    await clock.advance(1500);
    assert.equal(looks.againMs(one), 500);
  });

  it('of a thousand runs are two a second, all together', async () => {
    const { clock, looks, run } = start();
    const runs = Array.from({ length: 1000 }, (_, index) => run(`run-${index}`));
    let done = 0;
    for (const one of runs) looks.againMs(one);
    for (let second = 0; second < 1000; second++) {
      await clock.advance(1000);
      for (const one of runs.filter((each) => looks.isDue(each))) {
        looks.note(one, undefined);
        looks.againMs(one);
        done += 1;
      }
    }
    assert.ok(done > 1500 && done < 2600, `${done} looks`);
  });

  it('are made at once after a restart where few wait, and else put in line', async () => {
    const { clock, looks, run } = start();
    const runs = Array.from({ length: 100 }, (_, index) => run(`run-${index}`));
    await clock.advance(60_000);
    let atOnce = 0;
    for (const one of runs) {
      if (looks.isDue(one)) atOnce += 1;
      looks.againMs(one);
    }
    assert.equal(atOnce, 8);
  });

  it('leave the run what the last one found, or what it shows after a restart', async () => {
    const { looks, run } = start();
    const one = run('one', found);
    assert.deepEqual(looks.lastFound(one), found);
    looks.againMs(one);
    assert.deepEqual(looks.lastFound(one), found);
    looks.note(one, undefined);
    looks.againMs(one);
    assert.equal(looks.lastFound(one), undefined);
    looks.note(one, found);
    assert.deepEqual(looks.lastFound(run('one')), found);
    looks.forget('team/one');
    assert.equal(looks.lastFound(run('one')), undefined);
  });
});
