import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { readRequests, type Message, type Reading } from './http-messages.ts';

/** What a raw upstream sends, as latin1. */
export interface RawScript {
  /** To each whole request. */
  readonly answer: string | ((request: Message) => string);
  /** To each head, before the request is whole. */
  readonly early?: string | undefined;
  /** What becomes of the connection behind an answer. */
  readonly closing?: 'end' | 'reset' | 'later' | undefined;
}

interface Connection {
  readonly socket: Socket;
  bytes: string;
  closed: boolean;
  heads: number;
  answers: number;
}

/** So that what was written goes out before a reset, and a next request may come before an end. */
const LATER = 20;

export const OK_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A TCP server that answers requests by a script, and keeps every byte that it was sent. */
export class RawUpstream {
  readonly #server: Server;
  #connections: Connection[] = [];
  script: RawScript = { answer: OK_ANSWER };

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

  /**
   * Resolves once every request that has begun is whole, or its connection has ended; all have, if
   * the script ends them.
   */
  async settled(): Promise<void> {
    const isOpen = ({ bytes, closed }: Connection): boolean => {
      if (closed || bytes === '') return false;
      if (this.script.closing !== undefined) return true;
      const { messages, problem } = readRequests(bytes);
      return problem !== undefined || messages.at(-1)?.complete !== true;
    };
    for (let waited = 0; this.#connections.some(isOpen) && waited < 2_000; waited += 2) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** What came on each connection since the last call. */
  take(): string[] {
    const taken = this.#connections.map(({ bytes }) => bytes).filter((bytes) => bytes !== '');
    this.#connections = this.#connections.filter(({ closed }) => !closed);
    for (const connection of this.#connections) {
      Object.assign(connection, { bytes: '', heads: 0, answers: 0 });
    }
    return taken;
  }

  #serve(socket: Socket): void {
    const connection: Connection = { socket, bytes: '', closed: false, heads: 0, answers: 0 };
    this.#connections.push(connection);
    socket.on('error', () => {});
    socket.on('close', () => (connection.closed = true));
    socket.on('data', (chunk) => {
      connection.bytes += chunk.toString('latin1');
      this.#answer(connection);
    });
  }

  #answer(connection: Connection): void {
    const { socket } = connection;
    const { early, answer, closing } = this.script;
    const { messages } = readRequests(connection.bytes);
    for (; connection.heads < messages.length; connection.heads += 1) {
      if (early !== undefined) socket.write(early, 'latin1');
    }
    for (const message of messages.slice(connection.answers)) {
      if (!message.complete) return;
      connection.answers += 1;
      socket.write(typeof answer === 'string' ? answer : answer(message), 'latin1');
      if (closing === 'end') socket.end();
      else if (closing === 'later') setTimeout(() => socket.end(), LATER);
      else if (closing === 'reset') setTimeout(() => socket.resetAndDestroy(), LATER);
    }
  }
}
