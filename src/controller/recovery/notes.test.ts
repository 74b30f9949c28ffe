import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitHook, GitHookStatusRecovery } from '../../api/githook.ts';
import { formatTime } from '../../clock.ts';
import { RecoveryNotes, withNotes } from './notes.ts';

const nowMs = Date.parse('2026-11-22T12:00:00Z');
const minuteMs = 60_000;
const worked = (ms: number): GitHookStatusRecovery => ({ source: 'Poll', lastSuccessTime: formatTime(ms) });
const gitHook = (recovery?: readonly GitHookStatusRecovery[]): GitHook =>
  ({ metadata: { namespace: 'n', name: 'app', uid: 'u' }, spec: {}, status: { recovery } }) as unknown as GitHook;

describe('withNotes', () => {
  const poll = { source: 'Poll' as const };
  it('says nothing of what nobody looked for', () => {
    assert.equal(withNotes(undefined, []), undefined);
    assert.equal(withNotes(undefined, [{ ...poll, off: true }]), undefined);
  });

  it('takes the entry away when it is no longer looked for', () => {
    assert.deepEqual(withNotes([worked(nowMs)], [{ ...poll, off: true }]), []);
  });

  it('renews the time of success every ten minutes, and at once after an error', () => {
    const old = [worked(nowMs)];
    assert.deepEqual(withNotes(old, [{ ...poll, workedMs: nowMs + 9 * minuteMs }]), old);
    const later = nowMs + 10 * minuteMs;
    assert.deepEqual(withNotes(old, [{ ...poll, workedMs: later }]), [worked(later)]);
    const broken = [{ ...worked(nowMs), lastError: 'X: y' }];
    assert.deepEqual(withNotes(broken, [{ ...poll, workedMs: nowMs + minuteMs }]), [worked(nowMs + minuteMs)]);
  });

  it('adds what was found, and cuts an error to what the CRD takes', () => {
    const note = { ...poll, error: 'x'.repeat(2_000), found: 2, foundMs: nowMs };
    const [after] = withNotes([{ ...worked(nowMs), found: 3 }], [note]) ?? [];
    assert.deepEqual([after?.found, after?.lastFoundTime], [5, formatTime(nowMs)]);
    assert.equal(after?.lastError?.length, 1024);
  });

  it('keeps the other source as it is', () => {
    const log: GitHookStatusRecovery = { source: 'DeliveryLog', cursor: 'c' };
    const after = withNotes([log, worked(nowMs)], [{ ...poll, error: 'X: y' }]);
    assert.deepEqual(after, [{ ...worked(nowMs), lastError: 'X: y' }, log]);
  });
});

describe('RecoveryNotes', () => {
  it('calls for the status to be written only where it has something new to say', () => {
    const woken: string[] = [];
    const notes = new RecoveryNotes((key) => woken.push(key));
    notes.note(gitHook(), { source: 'Poll', workedMs: nowMs });
    notes.note(gitHook([worked(nowMs)]), { source: 'Poll', workedMs: nowMs + minuteMs });
    assert.deepEqual(woken, ['n/app']);
  });

  it('adds up what is found until it is written, and then counts it once', () => {
    const notes = new RecoveryNotes(() => {});
    notes.note(gitHook(), { source: 'Poll', workedMs: nowMs, found: 1, foundMs: nowMs });
    const written = notes.of('u');
    notes.note(gitHook(), { source: 'Poll', workedMs: nowMs, found: 2, foundMs: nowMs });
    notes.written('u', written);
    assert.deepEqual(
      notes.of('u').map(({ found }) => found),
      [2],
    );
  });
});
