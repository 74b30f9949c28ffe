import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredObject } from './kube.ts';
import { type Change, ObjectStore } from './store.ts';

function object(name: string, uid: string, resourceVersion: string): StoredObject {
  return { metadata: { name, namespace: 'ns', uid, resourceVersion } };
}

function told(changes: readonly Change<StoredObject>[]): string[] {
  return changes.map(
    ({ kind, key, object: { metadata } }) => `${kind} ${key} ${metadata.uid}@${metadata.resourceVersion}`,
  );
}

describe('ObjectStore', () => {
  it('tells from a new list what was added, modified and deleted since the last one', () => {
    const store = new ObjectStore<StoredObject>();
    assert.deepEqual(told(store.replace([object('a', '1', '5'), object('b', '2', '6'), object('c', '3', '7')])), [
      'added ns/a 1@5',
      'added ns/b 2@6',
      'added ns/c 3@7',
    ]);
    assert.deepEqual(told(store.replace([object('b', '2', '6'), object('c', '3', '9'), object('d', '4', '8')])), [
      'deleted ns/a 1@5',
      'modified ns/c 3@9',
      'added ns/d 4@8',
    ]);
    assert.equal(store.get('ns/a'), undefined);
    assert.equal(store.list().length, 3);
  });

  for (const from of ['list', 'event'] as const) {
    it(`tells of a deletion and an addition when the ${from} shows another object under the same name`, () => {
      const store = new ObjectStore<StoredObject>();
      store.replace([object('a', '1', '5')]);
      const next = object('a', '2', '9');
      const changes = from === 'list' ? store.replace([next]) : store.apply({ type: 'ADDED', object: next });
      assert.deepEqual(told(changes), ['deleted ns/a 1@5', 'added ns/a 2@9']);
    });
  }

  it('gives the last state of a deleted object as the event tells it', () => {
    const store = new ObjectStore<StoredObject>();
    store.replace([object('a', '1', '5')]);
    assert.deepEqual(told(store.apply({ type: 'DELETED', object: object('a', '1', '9') })), ['deleted ns/a 1@9']);
    assert.deepEqual(told(store.apply({ type: 'DELETED', object: object('a', '1', '9') })), []);
  });

  it('tells nothing when an event brings what is known, and calls an addition of a known object a modification', () => {
    const store = new ObjectStore<StoredObject>();
    store.replace([object('a', '1', '5')]);
    assert.deepEqual(told(store.apply({ type: 'ADDED', object: object('a', '1', '5') })), []);
    assert.deepEqual(told(store.apply({ type: 'ADDED', object: object('a', '1', '6') })), ['modified ns/a 1@6']);
  });

  describe('byIndex', () => {
    interface Coloured extends StoredObject {
      readonly colours: readonly string[];
    }
    const coloured = (name: string, ...colours: string[]): Coloured => ({ ...object(name, name, `${n++}`), colours });
    const names = (store: ObjectStore<Coloured>, value: string): string[] =>
      store.byIndex(value).map(({ metadata }) => metadata.name ?? '');
    let n = 1;

    it('finds an object under each of its values, and under none that it has no longer', () => {
      const store = new ObjectStore<Coloured>(({ colours }) => colours);
      store.replace([coloured('a', 'red', 'blue'), coloured('b', 'red')]);
      assert.deepEqual(
        ['red', 'blue', 'green'].map((value) => names(store, value)),
        [['a', 'b'], ['a'], []],
      );

      store.apply({ type: 'MODIFIED', object: coloured('a', 'green') });
      store.apply({ type: 'ADDED', object: coloured('c', 'blue') });
      assert.deepEqual(
        ['red', 'blue', 'green'].map((value) => names(store, value)),
        [['b'], ['c'], ['a']],
      );

      store.apply({ type: 'DELETED', object: coloured('a', 'grey') });
      assert.deepEqual(names(store, 'green'), []);
    });

    it('forgets with a new list what is not in it', () => {
      const store = new ObjectStore<Coloured>(({ colours }) => colours);
      store.replace([coloured('a', 'red'), coloured('b', 'red')]);
      store.replace([coloured('b', 'blue')]);
      assert.deepEqual([names(store, 'red'), names(store, 'blue')], [[], ['b']]);
    });

    it('gives the newest state of each', () => {
      const store = new ObjectStore<Coloured>(({ colours }) => colours);
      store.apply({ type: 'ADDED', object: coloured('a', 'red') });
      const changed = coloured('a', 'red');
      store.apply({ type: 'MODIFIED', object: changed });
      assert.deepEqual(store.byIndex('red'), [changed]);
    });
  });
});
