// One server and its fate: started, ready, crashed and started again, restarted on
// purpose, stopped.

import { setTimeout as sleep } from 'node:timers/promises';
import { rotateLog } from './log-files.ts';
import { untilReady, type ReadyProbe } from './readiness.ts';
import { afterCrash, type RestartPolicy } from './restart-policy.ts';
import { ServerProcess, type HowItEnded, type ServerCommand } from './server-process.ts';

export interface Service {
  /** Also the name of its log file. */
  readonly name: string;
  /** Where it listens, for people: `:4001`. */
  readonly where: string;
  readonly command: ServerCommand;
  readonly isReady: ReadyProbe;
  /** It must be ready within this (ms). */
  readonly readyWithinMs: number;
  /** After SIGTERM it has this long (ms) before it is killed. */
  readonly stopWithinMs: number;
}

/** What a supervised service has to tell. */
export type ServiceEvent =
  | { kind: 'starting'; name: string }
  | { kind: 'ready'; name: string; where: string; ms: number }
  | { kind: 'crashed'; name: string; how: HowItEnded; restartInMs: number }
  | { kind: 'recovered'; name: string; ms: number }
  | { kind: 'killed'; name: string; afterMs: number };

/** A service that did not become ready, or crashed too often. */
export class ServiceFailed extends Error {
  readonly service: string;
  readonly lines: readonly string[];
  readonly logFile: string;

  /**
   * @param what completes "<service> …"
   * @param lines the last that it printed
   */
  constructor(service: string, what: string, lines: readonly string[], logFile: string) {
    super(`${service} ${what}`);
    this.service = service;
    this.lines = lines;
    this.logFile = logFile;
  }
}

export interface Supervision {
  readonly policy: RestartPolicy;
  readonly onEvent: (event: ServiceEvent) => void;
  /** The service crashed too often; nobody restarts it any more. */
  readonly onGivenUp: (failure: ServiceFailed) => void;
  /** The time in ms. */
  readonly now: () => number;
}

/** How many of its last lines are quoted when a service fails. */
const quotedLines = 20;

/** How often (ms) a starting service is asked whether it is ready. */
const probeEveryMs = 100;

export class SupervisedService {
  readonly service: Service;
  readonly #logFile: string;
  readonly #supervision: Supervision;
  readonly #crashes: number[] = [];
  /** Aborted when the present run is no longer wanted: at a stop, at a restart. */
  #wanted = new AbortController();
  #run: ServerProcess | undefined;

  constructor(service: Service, logFile: string, supervision: Supervision) {
    this.service = service;
    this.#logFile = logFile;
    this.#supervision = supervision;
  }

  /**
   * Resolves when the service is ready; from then on a crash restarts it.
   *
   * @throws {ServiceFailed} if it ends or dallies before that; then it is stopped
   */
  async start(): Promise<void> {
    const { name, where } = this.service;
    const { onEvent, now } = this.#supervision;
    rotateLog(this.#logFile);
    onEvent({ kind: 'starting', name });
    const began = now();
    await this.#launch();
    onEvent({ kind: 'ready', name, where, ms: now() - began });
  }

  /**
   * Stops and starts again, on purpose: not a crash.
   *
   * @throws {ServiceFailed} as `start`; the next `restart` may mend it
   */
  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#wanted.abort();
    const { name, stopWithinMs } = this.service;
    const inTime = (await this.#run?.stop(stopWithinMs)) ?? true;
    if (!inTime) this.#supervision.onEvent({ kind: 'killed', name, afterMs: stopWithinMs });
  }

  async #launch(): Promise<void> {
    const wanted = new AbortController();
    this.#wanted = wanted;
    const run = new ServerProcess(this.service.command, this.#logFile);
    this.#run = run;
    const outcome = await this.#readyOrNot(run, wanted.signal);
    if (wanted.signal.aborted) return;
    if (outcome !== 'ready') {
      const lines = run.lastLines(quotedLines);
      await this.stop();
      throw new ServiceFailed(this.service.name, outcome, lines, this.#logFile);
    }
    void this.#keepRunning(run, wanted.signal);
  }

  async #keepRunning(first: ServerProcess, wanted: AbortSignal): Promise<void> {
    const { name } = this.service;
    const { policy, onEvent, onGivenUp, now } = this.#supervision;
    let run = first;
    for (;;) {
      const how = await run.ended;
      if (wanted.aborted) return;
      this.#crashes.push(now());
      const next = afterCrash(this.#crashes, policy);
      if (next === 'give-up') {
        const what = `crashed more than ${policy.crashesAllowed} times within ${policy.windowMs / 1000} s (the last time: ${how})`;
        onGivenUp(new ServiceFailed(name, what, run.lastLines(quotedLines), this.#logFile));
        return;
      }
      onEvent({ kind: 'crashed', name, how, restartInMs: next });
      const began = now();
      await sleep(next, undefined, { signal: wanted }).catch(() => undefined);
      if (wanted.aborted) return;
      run = new ServerProcess(this.service.command, this.#logFile);
      this.#run = run;
      const outcome = await this.#readyOrNot(run, wanted);
      if (wanted.aborted) return;
      if (outcome === 'ready') onEvent({ kind: 'recovered', name, ms: now() - began });
      // Alive but not ready in time: ended here, and counted above as one more crash.
      else await run.stop(this.service.stopWithinMs);
    }
  }

  /** @returns `ready`, or what went wrong, completing "<service> …" */
  async #readyOrNot(run: ServerProcess, wanted: AbortSignal): Promise<string> {
    const { isReady, readyWithinMs } = this.service;
    const settled = new AbortController();
    const early = run.ended.then((how) => `ended before it was ready (${how})`);
    const ready = untilReady(isReady, {
      withinMs: readyWithinMs,
      everyMs: probeEveryMs,
      signal: AbortSignal.any([wanted, settled.signal]),
    }).then((yes) => (yes ? 'ready' : `was not ready within ${readyWithinMs / 1000} s`));
    const outcome = await Promise.race([early, ready]);
    settled.abort();
    return outcome;
  }
}
