// One run of a server: a process group of its own, its output in a log file, a channel
// by which it notices when we are gone.

import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, openLog } from './log-files.ts';

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is added but the supervisor's process id. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a process ended, in words: `exit code 1`, `signal SIGKILL`, `cannot be run: ENOENT`. */
export type HowItEnded = string;

export class ServerProcess {
  readonly ended: Promise<HowItEnded>;
  readonly pid: number | undefined;
  readonly #logFile: string;
  readonly #logOffset: number;
  readonly #terminate: () => void;

  constructor(command: ServerCommand, logFile: string) {
    const log = openLog(logFile);
    const child = spawn(command.program, command.args, {
      cwd: command.cwd,
      env: { ...command.env, TURNOUT_SUPERVISOR_PID: String(process.pid) },
      // A group of its own: Ctrl-C in the terminal reaches us alone, and we end the
      // group whole, whatever the server has started itself.
      detached: true,
      stdio: ['ignore', log.descriptor, log.descriptor, 'ipc'],
    });
    closeSync(log.descriptor);
    this.#logFile = logFile;
    this.#logOffset = log.offset;
    this.pid = child.pid;
    this.#terminate = () => {
      child.kill('SIGTERM');
    };
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`cannot be run: ${error.message}`));
      child.once('exit', (code, signal) => {
        // What it has left behind would hold the port that its successor needs.
        this.#killGroup();
        resolve(signal ? `signal ${signal}` : `exit code ${code}`);
      });
    });
  }

  /** The last lines of what this run has printed. */
  lastLines(count: number): string[] {
    return lastLines(this.#logFile, this.#logOffset, count);
  }

  /**
   * SIGTERM, and after `withinMs` SIGKILL to the group. Resolves when it has ended.
   *
   * @returns false if it had to be killed
   */
  async stop(withinMs: number): Promise<boolean> {
    this.#terminate();
    const late = new AbortController();
    const inTime = await Promise.race([
      this.ended.then(() => true),
      sleep(withinMs, false, { signal: late.signal }).catch(() => false),
    ]);
    late.abort();
    if (!inTime) this.#killGroup();
    await this.ended;
    return inTime;
  }

  #killGroup(): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  }
}
