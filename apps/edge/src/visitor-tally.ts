import { LRUCache } from 'lru-cache';
import type { VisitorCounter, VisitorId } from '@turnout/router-core';

interface Group {
  readonly experiment: string;
  readonly phase: number;
  readonly variant: string;
  readonly day: string;
  readonly visitors: Set<VisitorId>;
}

/** How many visitors this worker remembers to have counted today. */
const REMEMBERED = 100_000;
/** Visitors that may wait for a counter that is out of reach. */
const WAITING_MAX = 200_000;

/**
 * Gathers the visitors that each variant served, and hands them to the shared
 * counter in batches: the request path only touches memory.
 */
export class VisitorTally {
  readonly #counter: VisitorCounter | undefined;
  readonly #now: () => number;
  readonly #counted = new LRUCache<string, true>({ max: REMEMBERED });
  #waiting = new Map<string, Group>();
  #waitingCount = 0;
  #flushing: Promise<void> = Promise.resolve();
  #day = '';
  #dayEnds = 0;

  /** @param counter without one nobody is counted */
  constructor(counter: VisitorCounter | undefined, now: () => number) {
    this.#counter = counter;
    this.#now = now;
  }

  /** Notes that `visitor` was served; cheap when it was noted earlier today. */
  saw(experiment: string, phase: number, variant: string, visitor: VisitorId): void {
    if (this.#counter === undefined) return;
    const day = this.#today();
    const key = `${experiment}:${phase}:${variant}:${day}`;
    const mark = `${key}:${visitor}`;
    if (this.#counted.get(mark) !== undefined || this.#waitingCount >= WAITING_MAX) return;
    this.#counted.set(mark, true);
    let group = this.#waiting.get(key);
    if (group === undefined) {
      group = { experiment, phase, variant, day, visitors: new Set() };
      this.#waiting.set(key, group);
    }
    group.visitors.add(visitor);
    this.#waitingCount++;
  }

  /** Hands over what waits. What the counter refuses waits for the next flush. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#handOver());
    return this.#flushing;
  }

  async #handOver(): Promise<void> {
    const groups = this.#waiting;
    this.#waiting = new Map();
    this.#waitingCount = 0;
    for (const [key, group] of groups) {
      try {
        await this.#counter?.add(group.experiment, group.phase, group.variant, group.day, [
          ...group.visitors,
        ]);
      } catch {
        this.#keep(key, group);
      }
    }
  }

  #keep(key: string, group: Group): void {
    const newer = this.#waiting.get(key);
    if (newer === undefined) this.#waiting.set(key, group);
    else for (const visitor of group.visitors) newer.visitors.add(visitor);
    this.#waitingCount += group.visitors.size;
  }

  #today(): string {
    const now = this.#now();
    if (now >= this.#dayEnds || this.#day === '') {
      this.#day = utcDay(now);
      this.#dayEnds = Date.parse(`${this.#day}T00:00:00Z`) + 86_400_000;
    }
    return this.#day;
  }
}

/** The UTC day of a time in ms since 1970, such as `2026-01-31`. */
export function utcDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
