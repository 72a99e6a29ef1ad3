import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** How long a process may take to end by itself, in ms; the edge drains for up to 10 s. */
const STOP_PATIENCE = 15_000;
/** Characters of standard error kept for the message when it dies. */
const ERROR_TAIL = 2_000;

export interface BenchProcessOptions {
  /** For messages. */
  readonly name: string;
  /** Arguments of node: its options, the script, the script's arguments. */
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** File descriptor of its standard output. Default: none. */
  readonly stdout?: number;
  /** Ends every wait for the process; the process itself ends by `stop`. */
  readonly signal: AbortSignal;
}

/** A node process of the benchmark, with a channel for messages. */
export class BenchProcess {
  /** Rejects when the process ends before `stop` was called. */
  readonly died: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  readonly #signal: AbortSignal;
  #stopping = false;

  constructor({ name, args, env = process.env, stdout, signal }: BenchProcessOptions) {
    // A group of its own: Ctrl-C reaches the benchmark alone, which then ends all in order.
    this.#child = spawn(process.execPath, args, {
      env,
      stdio: ['ignore', stdout ?? 'ignore', 'pipe', 'ipc'],
      detached: true,
    });
    this.#signal = signal;
    let errors = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-ERROR_TAIL);
    });
    this.#exited = once(this.#child, 'close');
    this.died = this.#exited.then(([code, signalName]) => {
      if (this.#stopping) return new Promise<never>(() => {});
      throw new Error(`${name} ended (${String(signalName ?? code)}):\n${errors}`);
    });
    // Whoever waits for the process hears of it; it may be that nobody does just then.
    this.died.catch(() => {});
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('Expected the process to have started');
    return this.#child.pid;
  }

  /** The next message that it sends. */
  async hear<Message>(): Promise<Message> {
    const message = once(this.#child, 'message', { signal: this.#signal });
    const [heard] = await Promise.race([message, this.died]);
    return heard;
  }

  /** Sends a message, and hears the answer. */
  async ask<Answer>(question: object): Promise<Answer> {
    const answer = this.hear<Answer>();
    this.#child.send(question);
    return answer;
  }

  /** SIGTERM, and SIGKILL to its whole group when that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => process.kill(-this.pid, 'SIGKILL'), STOP_PATIENCE);
    await this.#exited;
    clearTimeout(killer);
  }
}
