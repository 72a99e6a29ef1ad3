import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { readRequests, type Reading } from './http-messages.ts';

/** What a raw upstream sends, as latin1. */
export interface RawScript {
  /** To each whole request. */
  readonly answer: string;
  /** To each head, before the request is whole. */
  readonly early?: string | undefined;
  /** What becomes of the connection behind an answer. */
  readonly then?: 'end' | 'reset' | undefined;
}

/** A TCP server that answers requests by a script, and keeps every byte that it was sent. */
export class RawUpstream {
  readonly #server: Server;
  readonly #connections: { socket: Socket; bytes: string; closed: boolean }[] = [];
  script: RawScript = { answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' };

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    return address.port;
  }

  close(): void {
    this.#server.close();
    for (const { socket } of this.#connections) socket.destroy();
  }

  get bytes(): string {
    return this.#connections.map(({ bytes }) => bytes).join('');
  }

  /** Whether every connection that brought something has ended. */
  get allClosed(): boolean {
    return this.#connections.every(({ bytes, closed }) => closed || bytes === '');
  }

  /** What came on each connection, in order. */
  readings(): Reading[] {
    return this.#connections.map(({ bytes }) => readRequests(bytes));
  }

  #serve(socket: Socket): void {
    const connection = { socket, bytes: '', closed: false };
    this.#connections.push(connection);
    let heads = 0;
    let answers = 0;
    socket.on('error', () => {});
    socket.on('close', () => (connection.closed = true));
    socket.on('data', (chunk) => {
      connection.bytes += chunk.toString('latin1');
      const { messages } = readRequests(connection.bytes);
      const { early, answer, then } = this.script;
      for (; heads < messages.length; heads += 1) {
        if (early !== undefined) socket.write(early, 'latin1');
      }
      const whole = messages.filter(({ complete }) => complete).length;
      for (; answers < whole; answers += 1) {
        socket.write(answer, 'latin1');
        if (then === 'end') socket.end();
        // So that what was written goes out first.
        else if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
      }
    });
  }
}
