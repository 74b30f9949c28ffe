// The proxy of a company: CONNECT for https, whole URLs for http. It alone knows the names it is given, so that what
// arrives at such a name came through it. Notes every request.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ForwardProxyOptions {
  /** Host name -> port on 127.0.0.1. Other names are refused. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Asked of every request, where given. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

export interface ForwardProxy {
  /** With the credentials, as one writes it in HTTPS_PROXY. */
  readonly url: string;
  /** Such as "CONNECT git.test:443" and "POST http://chat.test/hook"; refused ones begin with 407 or 403. */
  readonly log: readonly string[];
}

/** Listens on a free port of 127.0.0.1; ends after the test. */
export async function startForwardProxy(
  t: { after(fn: () => unknown): void },
  { hosts, credentials }: ForwardProxyOptions,
): Promise<ForwardProxy> {
  const log: string[] = [];
  const sockets = new Set<Socket>();
  const login =
    credentials && `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}`;
  const wanted =
    credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const refusal = (request: IncomingMessage, host: string): number => {
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) return 407;
    return Object.hasOwn(hosts, host) ? 0 : 403;
  };
  const note = (status: number, request: IncomingMessage): void => {
    log.push(`${status === 0 ? '' : `${status} `}${request.method} ${request.url}`);
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://none');
    const status = refusal(request, url.hostname);
    note(status, request);
    if (status !== 0) {
      response.writeHead(status).end();
      return;
    }
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const target = { host: '127.0.0.1', port: hosts[url.hostname], path: url.pathname + url.search };
    const out = httpRequest({ ...target, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    out.on('error', () => response.destroy());
    request.pipe(out);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    const host = request.url?.split(':')[0] ?? '';
    const status = refusal(request, host);
    note(status, request);
    client.on('error', () => {});
    if (status === 407)
      client.end('HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="proxy"\r\nConnection: close\r\n\r\n');
    if (status === 403) client.end('HTTP/1.1 403 No\r\nConnection: close\r\n\r\n');
    if (status !== 0) return;
    const target = connect(hosts[host] ?? 0, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Go on\r\n\r\n');
      target.write(head);
      target.pipe(client);
      client.pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('close', () => target.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${login ? `${login}@` : ''}127.0.0.1:${port}`, log };
}
