import { randomUUIDv7 } from 'node:crypto';
import type { Confirmation, Exposure, TestResult, TrackingEvent } from '@turnout/contracts/event';
import type { EventLog } from '@turnout/event-log';
import { botClassOf, visitorId, type MirrorEntry, type VisitorId } from '@turnout/router-core';
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
   * Resolves once the results are durable, and with them that their visitor was served a page:
   * another worker may have died with that exposure, and nobody is counted without one.
   *
   * @param requestId of the report
   * @throws {Error} when they can be written down nowhere
   */
  async report(
    results: readonly TestResult[],
    requestId: string,
    userAgent: string | undefined,
  ): Promise<void> {
    const exposures = results
      .filter(({ visitor, experiment, phase }) =>
        this.#exposed.isFirst(visitorId(visitor), experiment, phase),
      )
      .map((result) => exposureOf(result, requestId, userAgent));
    try {
      await this.#batcher.append([...exposures, ...results].map((event) => JSON.stringify(event)));
    } catch (error) {
      for (const { visitor } of exposures) this.#exposed.forget(visitorId(visitor));
      this.#count('result', 'refused', results.length);
      this.#logFailure(error);
      throw error;
    }
    for (const exposure of exposures) this.#countExposure(exposure);
    this.#count('result', 'taken', results.length);
  }

  /** Writes down what waits. */
  flush(): Promise<void> {
    return this.#batcher.flush();
  }

  #add(event: Exposure | Confirmation, visitor: VisitorId, sightings: FirstSightings): void {
    this.#batcher.add(JSON.stringify(event), (error) => {
      if (error === undefined) {
        if (event.kind === 'exposure') this.#countExposure(event);
        else this.#count(event.kind, 'taken', 1);
        return;
      }
      this.#count(event.kind, 'dropped', 1);
      // Else the visitor would never be told of; SQL counts nobody twice.
      sightings.forget(visitor);
      this.#logFailure(error);
    });
  }

  #countExposure({ experiment, assigned: variant }: Exposure): void {
    this.#count('exposure', 'taken', 1);
    this.#options.metrics.exposures.inc({ experiment, variant });
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

/** What a result says of the page that it is about. SQL prefers the page's own exposure: it is earlier. */
function exposureOf(
  { visitor, experiment, phase, revision, variant, edge, receivedAt, ...result }: TestResult,
  requestId: string,
  userAgent: string | undefined,
): Exposure {
  return {
    kind: 'exposure',
    eventId: randomUUIDv7(),
    requestId: result.requestId ?? requestId,
    visitor,
    experiment,
    phase,
    revision,
    assigned: variant,
    served: variant,
    bot: botClassOf(userAgent ?? ''),
    edge,
    at: receivedAt,
  };
}
