// The thread that reads large deliveries. Called by main when the program finds itself to be that thread.
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { Forge } from '../forge/forge.ts';
import { readDelivery } from './read.ts';
import type { Question, Reply } from './reader.ts';

/** Answers each question with what the delivery says, until the thread is ended. */
export function serveReading(forges: readonly Forge[]): void {
  parentPort?.on('message', (question: Question) => parentPort?.postMessage(reply(question, forges)));
}

function reply({ id, forge: name, headers, body, secrets }: Question, forges: readonly Forge[]): Reply {
  try {
    const forge = forges.find((one) => one.name === name);
    if (forge === undefined) throw new Error(`no forge is called ${name}`);
    return { id, read: readDelivery(forge, { headers, body }, secrets) };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}
