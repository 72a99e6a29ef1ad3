import { performance } from 'node:perf_hooks';

/** What a `ClientWait` watches over. */
export interface WaitingExchange {
  /** True while nothing but the client can move the exchange on. */
  readonly waitsForClient: boolean;
  /** The client was waited for in vain. */
  clientTimedOut(ms: number): void;
}

/**
 * A limit on the silence of one exchange's client.
 *
 * There is no timer before the first wait, so that most exchanges never have one, and no more
 * than one then: progress only moves a timestamp, which the timer looks at when it fires. It
 * fires again after what is left of the limit, or after all of it if the client is not the one
 * waited for, until `stop()`.
 */
export class ClientWait {
  readonly #limit: number;
  readonly #exchange: WaitingExchange;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  #stopped = false;

  /** @param limit milliseconds; 0 for none. */
  constructor(limit: number, exchange: WaitingExchange) {
    this.#limit = limit;
    this.#exchange = exchange;
  }

  /** A wait begins, or the client has sent or read something. */
  restart(): void {
    if (this.#limit === 0 || this.#stopped) return;
    this.#since = performance.now();
    this.#timer ??= setTimeout(look, this.#limit, this);
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  look(): void {
    const left = this.#left();
    if (left > 0) this.#timer = setTimeout(look, Math.ceil(left), this);
    // If the process was held up, what came meanwhile is read first.
    else setImmediate(judge, this);
  }

  judge(): void {
    if (this.#stopped) return;
    if (this.#left() > 0) this.look();
    else this.#exchange.clientTimedOut(this.#limit);
  }

  #left(): number {
    const now = performance.now();
    if (!this.#exchange.waitsForClient) this.#since = now;
    return this.#since + this.#limit - now;
  }
}

function look(wait: ClientWait): void {
  wait.look();
}

function judge(wait: ClientWait): void {
  wait.judge();
}
