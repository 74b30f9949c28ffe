// Looks at the API server from outside: through kubectl's own proxy, so with whatever login the kubeconfig has, and
// not through kube-git's client. Called by watch.ts and demo.ts; knows nothing of the demo.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Program } from '../../test/env/binaries.ts';
import { startProcess } from '../../test/env/processes.ts';
import { waitFor } from '../../test/env/wait.ts';
import type { Cleanup } from './cleanup.ts';

export interface Api {
  /** The answer's JSON. Throws with the API server's words when it is not 2xx. */
  get<T>(path: string, signal: AbortSignal): Promise<T>;
  /** The answer's lines as they come; ends with the answer. Throws as get does. */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string>;
}

/** Starts the proxy on a socket in `folder`, where only this user gets at it. */
export async function startApi(kubectl: Program, folder: string, cleanup: Cleanup): Promise<Api> {
  const socket = join(folder, 'api.sock');
  const proxy = await startProcess({
    name: 'kubectl proxy',
    file: kubectl.file,
    args: [...kubectl.args, 'proxy', `--unix-socket=${socket}`],
    logFile: join(folder, 'kubectl-proxy.log'),
  });
  cleanup.add('end kubectl proxy', () => proxy.stop());
  const api = apiOn(socket);
  const isUp = async (): Promise<boolean> => {
    if (proxy.exit() === undefined) await api.get('/version', AbortSignal.timeout(answerWithinMs));
    return true;
  };
  await waitFor(isUp, { what: 'the API server to answer kubectl proxy', deadlineMs: 30_000 });
  if (proxy.exit() !== undefined) throw new Error(`kubectl proxy ended: ${proxy.logTail()}`);
  return api;
}

const answerWithinMs = 10_000;

function apiOn(socketPath: string): Api {
  const open = async (path: string, signal: AbortSignal): Promise<IncomingMessage> => {
    const outgoing = request({ socketPath, path, signal, agent: false, headers: { accept: 'application/json' } });
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    if ((answer.statusCode ?? 0) < 300) return answer;
    throw new Error(`${path}: ${answer.statusCode} ${await text(answer)}`);
  };
  return {
    get: async (path, signal) => JSON.parse(await text(await open(path, signal))),
    lines: async function* (path, signal) {
      const answer = await open(path, signal);
      yield* createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY });
    },
  };
}
