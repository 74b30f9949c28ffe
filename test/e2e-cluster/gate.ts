// A door for a Job's pod: it stays closed until the test opens it, so that a test and not a clock says when the Job ends.
import { createServer } from 'node:http';
import { listenOnFreePort } from '../env/ports.ts';

export interface Gate {
  /** Answers 503 while closed, 200 once open. */
  readonly url: string;
  open(): void;
  close(): void;
}

/** On the address, until the test ends. */
export async function startGate(t: { after(fn: () => unknown): void }, address: string): Promise<Gate> {
  let status = 503;
  const server = createServer((_request, response) => response.writeHead(status, { connection: 'close' }).end());
  const port = await listenOnFreePort(server, address);
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return {
    url: `http://${address}:${port}/`,
    open: () => {
      status = 200;
    },
    close: () => {
      status = 503;
    },
  };
}
