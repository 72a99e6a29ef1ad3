import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/*
 * Each answer's first line is read here before undici's parser gets it:
 *
 * - That parser takes RTSP, HTTP/0.9 and HTTP/2.0 for HTTP/1.1.
 * - It breaks the exchange off at a 100 (Continue), which a client must be able to receive
 *   without having asked for it (RFC 9110 section 15.2). Such a one ends here: whoever did ask
 *   has a connection of their own (`node-client.ts`).
 * - Bytes that came before the request was sent are no answer to it.
 */

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n$/;
/** Bytes of a first line, and of an interim head whole. */
const LONGEST = 8_192;

/** One connection's. */
export class AnswerGate {
  readonly #socket: Socket;
  readonly #fail: (reason: string) => Error;
  /** What came of a head so far; undefined while undici may read on by itself. */
  #head: Buffer | undefined;
  #readBefore = 0;

  constructor(socket: Socket, fail: (reason: string) => Error) {
    this.#socket = socket;
    this.#fail = fail;
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      if (this.#head === undefined) return read(size);
      for (let chunk = read(size); chunk !== null; chunk = read(size)) {
        const passed = this.#pass(chunk);
        if (passed !== null) return passed;
      }
      return null;
    };
  }

  /** A request goes out: the next bytes are the head of its answer. */
  expectHead(): void {
    this.#head = Buffer.alloc(0);
    this.#readBefore = this.#socket.bytesRead;
    // A request that meets them can go by another connection.
    if (this.#socket.readableLength > 0) this.#socket.destroy(new Error('Bytes between answers'));
  }

  /** The connection had carried an answer, and brought nothing since the last request. */
  get isIdle(): boolean {
    return this.#readBefore > 0 && this.#socket.bytesRead === this.#readBefore;
  }

  /** The bytes that undici may have; null if it has to wait for more. */
  #pass(chunk: Buffer): Buffer | null {
    let rest = this.#head?.length ? Buffer.concat([this.#head, chunk]) : chunk;
    const passed: Buffer[] = [];
    for (;;) {
      const line = firstLine(rest);
      if (line === undefined) {
        if (rest.length > LONGEST) return this.#refuse('the first line is too long');
        break;
      }
      const [, status] = STATUS_LINE.exec(line) ?? [];
      if (status === undefined) return this.#refuse(`expected HTTP/1.1 and a status, got ${line}`);
      if (!status.startsWith('1') || status === '101') {
        this.#head = undefined;
        passed.push(rest);
        return passed.length === 1 ? rest : Buffer.concat(passed);
      }
      // Interim: another head follows this one.
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) {
        if (rest.length > LONGEST)
          return this.#refuse(`the head with status ${status} is too long`);
        break;
      }
      if (status !== '100') passed.push(rest.subarray(0, end + 4));
      rest = rest.subarray(end + 4);
    }
    this.#head = rest;
    return passed.length === 0 ? null : Buffer.concat(passed);
  }

  #refuse(reason: string): null {
    this.#socket.destroy(this.#fail(reason));
    return null;
  }
}

function firstLine(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(10);
  return end === -1 ? undefined : bytes.toString('latin1', 0, end + 1);
}

const gates = new WeakMap<object, AnswerGate>();

// The one place where undici tells which of its connections a request goes out on.
subscribe('undici:client:sendHeaders', (message) => {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return;
  const { socket } = message;
  if (typeof socket === 'object' && socket !== null) gates.get(socket)?.expectHead();
});

/**
 * Puts a gate before the parser of a connection's answers.
 *
 * @param fail makes the error that the connection ends with
 */
export function guardAnswers(socket: Socket, fail: (reason: string) => Error): AnswerGate {
  const gate = new AnswerGate(socket, fail);
  gates.set(socket, gate);
  return gate;
}
