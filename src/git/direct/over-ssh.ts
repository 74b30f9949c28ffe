// Asks a git server over ssh for objects by their ids: one connection for all questions of a read, made when the first is
// asked. Called by direct.ts. Who does not speak git's protocol version 2 is left to the git program.
import { WaitingError } from '../../errors.ts';
import { explainSsh } from '../ssh-failure.ts';
import type { Read } from '../way.ts';
import { type Asker, answerBytes } from './asker.ts';
import { type GitObject, ObjectTooLarge, readPack } from './pack.ts';
import { packetTexts, packOf, type Question, questionOf, refusalIn } from './pkt-line.ts';
import { Unusable } from './unusable.ts';
import { openUploadPack, type UploadPack } from './upload-pack.ts';

/** Of the lines in which a server says what it can. */
const greetingBytes = 64 * 1024;

export function overSsh(read: Read): Asker {
  let opening: Promise<UploadPack> | undefined;
  return {
    ask: async (question, maxBytes) => {
      opening ??= openUploadPack(read);
      const connection = await opening;
      if (!connection.isGreeted) await greet(connection, question, read);
      return ask(connection, question, maxBytes, read);
    },
    close: async () => {
      await opening?.then(
        (connection) => connection.close(),
        () => {},
      );
    },
  };
}

/** The server speaks first: its version, then what it can, a line each (gitprotocol-v2(5), "capability advertisement"). */
async function greet(connection: UploadPack, { format }: Question, read: Read): Promise<void> {
  const lines = packetTexts(await greetingOf(connection, read));
  if (lines[0] !== 'version 2') throw new Unusable('protocol version 2 is not spoken');
  const features =
    lines
      .find((line) => line.startsWith('fetch='))
      ?.slice('fetch='.length)
      .split(' ') ?? [];
  if (!features.includes('filter')) throw new Unusable('no filters');
  const theirs = lines.find((line) => line.startsWith('object-format='))?.slice('object-format='.length) ?? 'sha1';
  if (theirs !== format) throw new Unusable(`object ids of ${theirs}`);
}

async function greetingOf(connection: UploadPack, read: Read): Promise<Buffer> {
  try {
    return await answerOf(connection, greetingBytes, read);
  } catch (error) {
    throw error instanceof ObjectTooLarge ? new Unusable('a greeting without end') : error;
  }
}

async function ask(
  connection: UploadPack,
  question: Question,
  maxBytes: number,
  read: Read,
): Promise<ReadonlyMap<string, GitObject>> {
  connection.send(questionOf(question));
  const answer = await answerOf(connection, answerBytes(maxBytes), read);
  return readPack(packOf(answer), { format: question.format, maxBytes });
}

/** An answer to its end. */
async function answerOf(connection: UploadPack, maxBytes: number, read: Read): Promise<Buffer> {
  const { body, ending } = await connection.answer(maxBytes);
  if (ending === 'end') return body;
  if (ending === 'cut') throw new ObjectTooLarge('an answer without end');
  throw await brokenOff(connection, body, read);
}

/** What ssh says is said at once; what the server says is for the git program to hear, and to say in one way. */
async function brokenOff(connection: UploadPack, body: Buffer, { wanted }: Read): Promise<Error> {
  const { report, words } = await connection.ended();
  // ssh begins its log before it does anything else.
  if (report === undefined) return new WaitingError('FetchFailed', `ssh cannot be started: ${words.trim()}`);
  const refusal = refusalIn(body);
  const unusable = new Unusable(refusal ?? 'the connection failed', { isPassing: refusal === undefined });
  return explainSsh({ wanted, report, words }) ?? unusable;
}
