import { connect, type Socket } from 'node:net';

/** A client that sends bytes as they are, and keeps all that comes back. */
export class RawClient {
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  /** What came back, as latin1. */
  bytes = '';
  /** The other side has ended the connection, or reset it. */
  ended = false;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.#socket.setNoDelay(true);
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk) => {
      this.bytes += chunk.toString('latin1');
      this.#changed();
    });
    const end = (): void => {
      this.ended = true;
      this.#changed();
    };
    this.#socket.on('end', end).on('close', end);
  }

  send(bytes: string): void {
    this.#socket.write(bytes, 'latin1');
  }

  /** Sends no more; what comes back is still read. */
  finish(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Looks again whenever something has come; false if it does not hold within `ms`. */
  async until(holds: () => boolean, ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#waiting.add(done);
      });
    }
    return true;
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}
