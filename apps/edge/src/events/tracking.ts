import { randomUUIDv7 } from 'node:crypto';
import type { Confirmation, Exposure, TestResult, TrackingEvent } from '@turnout/contracts/event';
import type { EventLog } from '@turnout/event-log';
import { botClassOf, type MirrorEntry, type VisitorId } from '@turnout/router-core';
import type { Live } from '../live.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { EventBatcher } from './event-batcher.ts';
import { FirstSightings } from './first-sightings.ts';

/** Failures are logged at most this often, in ms: they come by the thousand. */
const LOG_EVERY = 10_000;

export interface TrackingOptions {
  readonly log: EventLog;
  /** What this edge is called. */
  readonly node: string;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A page that went out to somebody who is assigned. */
export interface ServedPage {
  readonly visitor: VisitorId;
  readonly experiment: string;
  readonly phase: number;
  readonly revision: number;
  readonly assigned: string;
  readonly served: string;
}

/**
 * What a worker tells of its visitors: who was served what, whose cookie came back, and what
 * they did. The request path only touches memory.
 */
export class Tracking {
  readonly #options: TrackingOptions;
  readonly #batcher: EventBatcher;
  readonly #exposed = new FirstSightings();
  readonly #confirmed = new FirstSightings();
  #failures = 0;
  #failureLoggedAt = -Infinity;

  constructor(options: TrackingOptions) {
    this.#options = options;
    this.#batcher = new EventBatcher(options.log);
  }

  get node(): string {
    return this.#options.node;
  }

  /** Notes that a page goes out; an exposure if this worker has seen none of the visitor's yet. */
  exposed(page: ServedPage, requestId: string, userAgent: string | undefined): void {
    const { visitor, experiment, phase } = page;
    if (!this.#exposed.isFirst(visitor, experiment, phase)) return;
    const exposure: Exposure = {
      kind: 'exposure',
      eventId: randomUUIDv7(),
      requestId,
      ...page,
      bot: botClassOf(userAgent ?? ''),
      edge: this.node,
      at: this.#options.now(),
    };
    this.#add(exposure, visitor, this.#exposed);
  }

  /** Notes that a visitor's cookie came back: a confirmation for each experiment that it repeats. */
  returned(visitor: VisitorId, mirror: readonly MirrorEntry[], live: Live): void {
    for (const entry of mirror) {
      const experiment = live.experiment(entry.experiment);
      if (experiment === undefined || entry.phase < experiment.phase) continue;
      const { key, status } = experiment;
      if (status !== 'running' && status !== 'paused') continue;
      if (!this.#confirmed.isFirst(visitor, key, entry.phase)) continue;
      const confirmation: Confirmation = {
        kind: 'confirmation',
        eventId: randomUUIDv7(),
        visitor,
        experiment: key,
        phase: entry.phase,
        at: this.#options.now(),
      };
      this.#add(confirmation, visitor, this.#confirmed);
    }
  }

  /**
   * Resolves once the results are durable.
   *
   * @throws {Error} when they can be written down nowhere
   */
  async report(results: readonly TestResult[]): Promise<void> {
    try {
      await this.#batcher.append(results.map((result) => JSON.stringify(result)));
    } catch (error) {
      this.#count('result', 'refused', results.length);
      this.#logFailure(error);
      throw error;
    }
    this.#count('result', 'taken', results.length);
  }

  /** Writes down what waits. */
  flush(): Promise<void> {
    return this.#batcher.flush();
  }

  #add(event: Exposure | Confirmation, visitor: VisitorId, sightings: FirstSightings): void {
    this.#batcher.add(JSON.stringify(event), (error) => {
      if (error === undefined) {
        this.#count(event.kind, 'taken', 1);
        if (event.kind === 'exposure') {
          const { experiment, assigned: variant } = event;
          this.#options.metrics.exposures.inc({ experiment, variant });
        }
        return;
      }
      this.#count(event.kind, 'dropped', 1);
      // Else the visitor would never be told of; SQL counts nobody twice.
      sightings.forget(visitor);
      this.#logFailure(error);
    });
  }

  #count(kind: TrackingEvent['kind'], outcome: 'taken' | 'dropped' | 'refused', events: number) {
    this.#options.metrics.events.inc({ kind, outcome }, events);
  }

  #logFailure(error: unknown): void {
    this.#failures += 1;
    const now = this.#options.now();
    if (now - this.#failureLoggedAt < LOG_EVERY) return;
    this.#failureLoggedAt = now;
    this.#options.logger.error(
      { err: error, failures: this.#failures },
      'events can not be written down',
    );
  }
}
