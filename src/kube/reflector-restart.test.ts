import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callApi } from '../../test/env/api.ts';
import { startOwnControlPlane } from '../../test/env/cluster.ts';
import { type ConfigMap, configMaps, lines } from '../../test/env/kube-fixture.ts';
import { waitFor } from '../../test/env/wait.ts';
import { systemClock } from '../clock.ts';
import { createLog } from '../log.ts';
import { KubeClient } from './client.ts';
import { loadKubeConfig } from './kubeconfig.ts';
import { Reflector } from './reflector.ts';

describe('Reflector and a real API server', () => {
  it('goes on after the API server was killed and started again, with few requests', async (t) => {
    const plane = await startOwnControlPlane(t);
    const codes: string[] = [];
    const config = await loadKubeConfig({ kubeconfig: plane.kubeconfig, env: {} });
    const client = new KubeClient({ ...config, onRequest: (verb, code) => codes.push(`${verb} ${code}`) });
    const put = (name: string): Promise<unknown> => {
      const body = { metadata: { name, labels: { test: 'kube' } }, data: { value: name } };
      return callApi(plane, 'POST', '/api/v1/namespaces/default/configmaps', { body });
    };
    const restarts: string[] = [];
    const reflector = new Reflector<ConfigMap>({
      client,
      type: configMaps,
      labelSelector: 'test=kube',
      clock: systemClock,
      log: createLog('error', () => []),
      onChange: () => undefined,
      onRestart: (_type, why) => restarts.push(why),
    });
    const stop = new AbortController();
    const run = reflector.run(stop.signal);
    t.after(async () => {
      stop.abort();
      await run;
      client.close();
    });
    const holds = (...names: string[]): Promise<boolean> =>
      waitFor(() => lines(reflector.list()).join() === names.map((name) => `${name}=${name}`).join(), {
        what: `the store to hold ${names}`,
        deadlineMs: 60_000,
      });
    await waitFor(() => codes.includes('watch 200'), { what: 'the watch' });
    await put('a');
    await holds('a');
    await plane.stopApiServer();
    await waitFor(() => restarts.length > 0, { what: 'the watch to break' });
    await plane.startApiServer();
    await put('b');
    await holds('a', 'b');
    assert.ok(codes.length < 60, `${codes.length} requests: ${codes}`);
    await put('c');
    await holds('a', 'b', 'c');
  });
});
