import { LRUCache } from 'lru-cache';
import type { VisitorId } from '@turnout/router-core';

interface Bucket {
  tokens: number;
  /** Milliseconds since 1970. */
  filledAt: number;
}

/** Results that a visitor may report at once; one request holds up to 50. */
const BURST = 100;
/** Results a second in the long run. */
const RATE = 2;
const REMEMBERED = 20_000;

/** A token bucket for each visitor. Each worker has its own, so a visitor may get that many times as much. */
export class VisitorRate {
  readonly #buckets = new LRUCache<VisitorId, Bucket>({ max: REMEMBERED });

  /**
   * Takes what `count` results cost, all of it or nothing.
   *
   * @param count up to 50
   * @param now milliseconds since 1970
   * @returns 0, or how long to wait before there is enough, in seconds
   */
  take(visitor: VisitorId, count: number, now: number): number {
    let bucket = this.#buckets.get(visitor);
    if (bucket === undefined) {
      bucket = { tokens: BURST, filledAt: now };
      this.#buckets.set(visitor, bucket);
    }
    const passed = Math.max(0, now - bucket.filledAt) / 1_000;
    bucket.tokens = Math.min(BURST, bucket.tokens + passed * RATE);
    bucket.filledAt = now;
    if (bucket.tokens < count) return Math.ceil((count - bucket.tokens) / RATE);
    bucket.tokens -= count;
    return 0;
  }
}
