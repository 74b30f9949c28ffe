import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { pushPayload, startTestReceiver, type TestReceiver } from '../../test/env/receiver.ts';
import { waitFor } from '../../test/env/wait.ts';

const head = 'POST /github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

/** A connection that speaks for itself; `said` is all that came back. */
class Wire {
  said = '';
  closed = false;
  readonly socket: Socket;

  constructor(receiver: TestReceiver) {
    this.socket = connect(Number(new URL(receiver.url).port), '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.said += chunk;
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** The status line's number, once there is one. */
  status(): Promise<number> {
    return waitFor(() => Number(/^HTTP\/1.1 (\d+)/.exec(this.said)?.[1]) || undefined, { what: 'an answer' });
  }

  async end(): Promise<void> {
    await waitFor(() => this.closed, { what: 'the end of the connection' });
  }
}

async function holdsNothing(receiver: TestReceiver): Promise<void> {
  await waitFor(async () => (await receiver.metrics.text()).includes('kubegit_bytes_in_flight 0\n'), {
    what: 'no bytes in flight',
  });
}

describe('limits', () => {
  it('answer 413 at once to a body that is announced as too large, before it comes', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { lingerMs: 50 } });
    const wire = new Wire(receiver);
    wire.socket.write(`${head}content-length: ${25 * 1024 * 1024 + 1}\r\n\r\n`);
    assert.equal(await wire.status(), 413);
    await wire.end();
  });

  it('answer 413 to an endless body, end the connection, and keep nothing of it', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { bodyBytes: 100_000, lingerMs: 50 } });
    const wire = new Wire(receiver);
    wire.socket.write(`${head}transfer-encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
    let sent = 0;
    while (!wire.closed && sent < 1e9) {
      sent += chunk.length;
      if (!wire.socket.write(chunk))
        await Promise.race([once(wire.socket, 'drain'), wire.end()]).catch(() => undefined);
    }
    assert.equal(await wire.status(), 413);
    await holdsNothing(receiver);
  });

  it('take a body of exactly the largest size, and refuse one byte more, announced or not', async (t) => {
    const payload = JSON.stringify(pushPayload());
    const receiver = await startTestReceiver(t, { limits: { bodyBytes: payload.length } });
    assert.equal((await receiver.send({ body: payload })).status, 200);
    assert.equal((await receiver.send({ body: `${payload} ` })).status, 413);
    const wire = new Wire(receiver);
    const size = (payload.length + 1).toString(16);
    wire.socket.write(`${head}transfer-encoding: chunked\r\n\r\n${size}\r\n${payload} \r\n0\r\n\r\n`);
    assert.equal(await wire.status(), 413);
  });

  it('answer 503 with Retry-After when all bodies together are too many bytes, and go on afterwards', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { bytesInFlight: 10_000, lingerMs: 50 } });
    const wire = new Wire(receiver);
    wire.socket.write(`${head}content-length: 20000\r\n\r\n${'a'.repeat(9_900)}`);
    await waitFor(async () => (await receiver.metrics.text()).includes('kubegit_bytes_in_flight 9900'), {
      what: 'bytes in flight',
    });
    const busy = await receiver.send({ payload: pushPayload() });
    assert.deepEqual([busy.status, busy.headers.get('retry-after'), busy.outcome.reason], [503, '10', 'Busy']);
    wire.socket.destroy();
    await holdsNothing(receiver);
    assert.equal((await receiver.send({ payload: pushPayload() })).status, 200);
  });

  it('answer 408 to a body that does not come, and keep nothing of it', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { answerMs: 100, lingerMs: 50 } });
    const wire = new Wire(receiver);
    wire.socket.write(`${head}content-length: 100\r\n\r\nabc`);
    assert.equal(await wire.status(), 408);
    await wire.end();
    await holdsNothing(receiver);
  });

  it('end a connection whose headers do not come', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { headersMs: 100, requestMs: 200, checkMs: 20 } });
    const wire = new Wire(receiver);
    wire.socket.write('POST /github HTTP/1.1\r\nhost: x\r\n');
    assert.equal(await wire.status(), 408);
    await wire.end();
  });

  it('answer 431 to headers over 16 KiB', async (t) => {
    const receiver = await startTestReceiver(t);
    const wire = new Wire(receiver);
    wire.socket.write(`${head}x-long: ${'a'.repeat(17_000)}\r\n\r\n`);
    assert.equal(await wire.status(), 431);
    await wire.end();
  });

  it('take no more connections than they say', async (t) => {
    const receiver = await startTestReceiver(t, { limits: { connections: 2 } });
    const wires = [new Wire(receiver), new Wire(receiver), new Wire(receiver)];
    await waitFor(() => wires.filter(({ closed }) => closed).length === 1, { what: 'one connection refused' });
    for (const { socket } of wires) socket.destroy();
  });

  it('keep nothing of 100 bodies that break off', async (t) => {
    const receiver = await startTestReceiver(t);
    const wires = Array.from({ length: 100 }, () => new Wire(receiver));
    for (const { socket } of wires) socket.write(`${head}content-length: 100000\r\n\r\n${'a'.repeat(10_000)}`);
    await waitFor(async () => (await receiver.metrics.text()).includes('kubegit_bytes_in_flight 1000000\n'), {
      what: 'all of them in flight',
    });
    for (const { socket } of wires) socket.resetAndDestroy();
    await holdsNothing(receiver);
  });
});
