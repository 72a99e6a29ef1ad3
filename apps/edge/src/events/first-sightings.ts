import { LRUCache } from 'lru-cache';
import type { VisitorId } from '@turnout/router-core';

interface Sighting {
  readonly experiment: string;
  readonly phase: number;
}

/** How many visitors a worker remembers. */
const REMEMBERED = 100_000;
/** Phases that are remembered of one visitor: twice what their cookie can repeat. */
const PHASES = 32;

/**
 * Tells the first time that this worker sees a visitor in a phase of an experiment. Forgets
 * those who have not come for long: whoever counts has to expect a visitor twice.
 */
export class FirstSightings {
  readonly #seen: LRUCache<string, Sighting[]>;

  constructor(remembered = REMEMBERED) {
    this.#seen = new LRUCache({ max: remembered });
  }

  /** Notes the visitor; whether this is the first time. Allocates nothing when it is not. */
  isFirst(visitor: VisitorId, experiment: string, phase: number): boolean {
    const sightings = this.#seen.get(visitor);
    if (sightings === undefined) {
      // A text of its own: a piece of the cookie would hold all of it in memory.
      this.#seen.set(Buffer.from(visitor, 'latin1').toString('latin1'), [{ experiment, phase }]);
      return true;
    }
    for (const seen of sightings) {
      if (seen.phase === phase && seen.experiment === experiment) return false;
    }
    if (sightings.length === PHASES) sightings.shift();
    sightings.push({ experiment, phase });
    return true;
  }

  /** The visitor is new again. */
  forget(visitor: VisitorId): void {
    this.#seen.delete(visitor);
  }
}
