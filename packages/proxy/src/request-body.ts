import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ClientWait } from './client-wait.ts';

/**
 * True if the request announces a body (RFC 9112 section 6.3), whatever its method.
 *
 * @param rawHeaders as in `IncomingMessage.rawHeaders`.
 */
export function hasRequestBody(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true;
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      return Number(rawHeaders[i + 1]) !== 0;
    }
  }
  return false;
}

/**
 * A client's request body, on its way to an upstream.
 *
 * undici destroys the body of a request that fails. Were that the IncomingMessage itself,
 * the client's connection would go with it, and with it the chance of an error page. This
 * stands in between. It does not touch the request before undici reads, so that a request
 * that found no connection can go, whole, to another upstream.
 */
export class RequestBody extends Readable {
  /** Bytes read from the client so far. */
  bytes = 0;
  readonly #source: IncomingMessage;
  readonly #clientWait: ClientWait;
  #reading = false;

  constructor(source: IncomingMessage, clientWait: ClientWait) {
    super({ highWaterMark: 64 * 1024 });
    this.#source = source;
    this.#clientWait = clientWait;
  }

  /** True while the upstream would take more and the client has sent no more. */
  get starved(): boolean {
    return (
      this.#reading &&
      !this.destroyed &&
      !this.#source.readableEnded &&
      this.readableLength === 0 &&
      !this.isPaused()
    );
  }

  override _read(): void {
    if (!this.#reading) {
      this.#reading = true;
      this.#source.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    }
    this.#source.resume();
    // Called for the first bytes, and again after all that came.
    this.#clientWait.restart();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#reading) {
      this.#source
        .off('data', this.#onData)
        .off('end', this.#onEnd)
        .off('close', this.#onClose)
        // What is left must still be read past, or the client never sees our answer.
        .resume();
    }
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.bytes += chunk.length;
    if (!this.push(chunk)) this.#source.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#source.readableEnded) this.destroy(new Error('The client closed the connection'));
  };
}
