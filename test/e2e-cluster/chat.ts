// A Slack that keeps what it is told, for the tests of this folder.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { listenOnFreePort } from '../env/ports.ts';

export interface ChatMessage {
  readonly channel?: string;
  readonly attachments: readonly {
    readonly title: string;
    readonly title_link?: string;
    readonly fields: readonly { readonly title: string; readonly value: string }[];
  }[];
}

export interface Chat {
  /** An incoming webhook. */
  readonly url: string;
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  stop(): Promise<void>;
}

export async function startChat(address: string): Promise<Chat> {
  const messages: ChatMessage[] = [];
  const server = createServer(async (request, response) => {
    messages.push((await json(request)) as ChatMessage);
    response.end('ok');
  });
  const port = await listenOnFreePort(server, address);
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://${address}:${port}/services/T000/B000/a-token-of-the-tests`, messages, stop };
}
