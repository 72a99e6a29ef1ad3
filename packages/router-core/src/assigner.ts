import { LRUCache } from 'lru-cache';
import { assigned, proposeFromHash, proposeFromMirror, withoutAssignment } from './assignment.ts';
import type { AssignmentResult, Proposal, Visitor } from './assignment.ts';
import { createBreaker } from './breaker.ts';
import type { BreakerOptions, BreakerState } from './breaker.ts';
import type { Experiment } from './experiment.ts';
import type { AssignmentStore, StoredAssignment } from './store.ts';
import { visitorId } from './visitor-cookie.ts';
import type { VisitorId } from './visitor-cookie.ts';
import { createWriteBehind } from './write-behind.ts';
import type { PendingWrite } from './write-behind.ts';

/**
 * Agrees a visitor's variant with the ledger: LRU, then store, then the cookie's mirror,
 * then the hash. The store is asked once per visitor, experiment and cache age; it is
 * waited for until a deadline and no longer; and what it missed is written behind.
 */

export interface AssignerOptions {
  /** The ledger. Without one, mirror and hash decide. */
  readonly store?: AssignmentStore;
  /** Assignments kept in memory. Default 100,000 (some 20 MB). */
  readonly cacheSize?: number;
  /**
   * Milliseconds an assignment is taken from memory before the store is asked again, which
   * also lets its time to live start anew: far below that. Default 10 minutes.
   */
  readonly cacheMaxAge?: number;
  /** Milliseconds a request waits for the store. Default 25. */
  readonly deadline?: number;
  readonly breaker?: BreakerOptions;
  /** Writes kept while the store is away. Default 50,000. */
  readonly writeBehindSize?: number;
  /** Milliseconds of a clock that never runs backwards. Default `performance.now`. */
  readonly now?: () => number;
  /** Told of each outage of the store: `open` when it is given up, `closed` when it is back. */
  readonly onBreaker?: (state: 'open' | 'closed') => void;
}

/** Figures of one assigner, for metrics. Counts only ever grow. */
export interface AssignerStatus {
  /** `undefined` without a store. */
  readonly breaker: BreakerState | undefined;
  readonly breakerOpened: number;
  readonly writeBehindLength: number;
  readonly writeBehindDropped: number;
  /** Store calls that failed. */
  readonly storeErrors: number;
  /** Requests that went on at the deadline, without the store's answer. */
  readonly storeTimeouts: number;
  readonly cached: number;
}

export interface Assigner {
  /**
   * Decides what a visitor gets. Never throws and never rejects. Returns at once when no
   * store has to be asked: an answer in memory, a visitor minted for this request, an
   * experiment that assigns nobody, a store that is down.
   */
  assign(visitor: Visitor, experiment: Experiment): AssignmentResult | Promise<AssignmentResult>;
  status(): AssignerStatus;
  /** Writes what is still to be written, for up to `milliseconds` (default 2,000). Leaves the store open. */
  close(milliseconds?: number): Promise<void>;
}

/** An assignment in memory; without a variant, the store said that there is none. */
interface CacheEntry {
  readonly assignment: StoredAssignment | undefined;
  readonly expires: number;
}

/** Milliseconds an answer that the store has not confirmed is taken from memory. */
const UNCONFIRMED_MAX_AGE = 5_000;
/** Writes sent together: enough to fill a pipeline, few enough not to delay a request's. */
const BATCH = 200;
/** Milliseconds after a batch of which something failed. */
const RETRY_DELAY = 100;
/** Writes that the breaker's probe asks for. */
const PROBES = 8;
// Whom it asks for when nothing waits to be written. All zero bits: never minted.
const PROBE_VISITOR = visitorId('AAAAAAAAAAAAAAAAAAAAAA');

export function createAssigner(options: AssignerOptions): Assigner {
  const {
    store,
    cacheSize = 100_000,
    cacheMaxAge = 600_000,
    deadline = 25,
    writeBehindSize = 50_000,
    now = () => performance.now(),
  } = options;
  const cache = new LRUCache<string, CacheEntry>({ max: cacheSize });
  const writeBehind = createWriteBehind(writeBehindSize);
  const breaker =
    store &&
    createBreaker(
      options.breaker ?? {},
      () => probe(store),
      (state) => {
        if (state === 'closed') scheduleFlush();
        options.onBreaker?.(state);
      },
    );
  let storeErrors = 0;
  let storeTimeouts = 0;
  let flushing: Promise<void> | undefined;

  function assign(
    visitor: Visitor,
    experiment: Experiment,
  ): AssignmentResult | Promise<AssignmentResult> {
    const settled = withoutAssignment(experiment, visitor.id);
    if (settled !== undefined) return settled;

    const cached = fromCache(visitor.id, experiment);
    if (cached !== undefined) return cached;

    const mirrored = proposeFromMirror(experiment, visitor.mirror);
    if (experiment.status === 'paused') {
      if (visitor.minted) return paused(experiment);
      if (store === undefined || breaker?.state !== 'closed') {
        return mirrored === undefined ? paused(experiment) : settle(visitor, experiment, mirrored);
      }
      return lookUp(store, visitor, experiment, mirrored);
    }

    const proposal = mirrored ?? proposeFromHash(experiment, visitor.id);
    if (store === undefined || visitor.minted || breaker?.state !== 'closed') {
      return settle(visitor, experiment, proposal);
    }
    return agree(store, visitor, experiment, proposal);
  }

  function fromCache(id: VisitorId, experiment: Experiment): AssignmentResult | undefined {
    const entry = cache.get(id + experiment.key);
    if (entry === undefined || entry.expires <= now()) return undefined;
    if (entry.assignment !== undefined) return assigned(experiment, entry.assignment, 'cache');
    return experiment.status === 'paused' ? paused(experiment) : undefined;
  }

  function remember(
    id: VisitorId,
    experiment: string,
    assignment: StoredAssignment | undefined,
    maxAge: number,
  ): void {
    cache.set(id + experiment, { assignment, expires: now() + maxAge });
  }

  /** Takes the proposal without the store's word, and sees that the store hears of it. */
  function settle(visitor: Visitor, experiment: Experiment, proposal: Proposal): AssignmentResult {
    const { key, variantKeys } = experiment;
    const assignment = toStore(proposal);
    remember(visitor.id, key, assignment, maxAgeOf(visitor));
    if (store !== undefined) {
      writeBehind.push({
        visitor: visitor.id,
        experiment: key,
        proposal: assignment,
        variants: variantKeys,
      });
      scheduleFlush();
    }
    return { kind: 'assigned', experiment: key, ...proposal };
  }

  function maxAgeOf(visitor: Visitor): number {
    // Nobody else can know a visitor that was minted just now: the proposal is the answer.
    if (store === undefined || visitor.minted) return cacheMaxAge;
    return Math.min(cacheMaxAge, UNCONFIRMED_MAX_AGE);
  }

  function agree(
    ledger: AssignmentStore,
    visitor: Visitor,
    experiment: Experiment,
    proposal: Proposal,
  ): Promise<AssignmentResult> {
    const { id } = visitor;
    const answer = attempt(() =>
      ledger.getOrSet(id, experiment.key, toStore(proposal), experiment.variantKeys),
    ).then((entry) => {
      // Also when the deadline has passed: the visitor's next request gets the truth.
      remember(id, experiment.key, entry, cacheMaxAge);
      return entry;
    });
    return withDeadline(
      answer,
      (entry) =>
        assigned(experiment, entry, entry.written ? proposal.source : 'store') ??
        settle(visitor, experiment, proposal),
      () => settle(visitor, experiment, proposal),
    );
  }

  function lookUp(
    ledger: AssignmentStore,
    visitor: Visitor,
    experiment: Experiment,
    mirrored: Proposal | undefined,
  ): Promise<AssignmentResult> {
    const answer = attempt(() => ledger.get(visitor.id)).then((all) => {
      const stored = all.get(experiment.key);
      return stored !== undefined && assigned(experiment, stored, 'store') ? stored : undefined;
    });
    const withoutStore = (): AssignmentResult =>
      mirrored === undefined ? paused(experiment) : settle(visitor, experiment, mirrored);
    return withDeadline(
      answer,
      (stored) => {
        if (stored === undefined && mirrored !== undefined) return withoutStore();
        remember(
          visitor.id,
          experiment.key,
          stored,
          stored === undefined ? UNCONFIRMED_MAX_AGE : cacheMaxAge,
        );
        return (stored && assigned(experiment, stored, 'store')) ?? paused(experiment);
      },
      withoutStore,
    );
  }

  /** The outcome of the store's answer, or `otherwise` on its failure or at the deadline. */
  async function withDeadline<Answer>(
    answer: Promise<Answer>,
    outcome: (value: Answer) => AssignmentResult,
    otherwise: () => AssignmentResult,
  ): Promise<AssignmentResult> {
    const timer = startTimer(deadline);
    try {
      const value = await Promise.race([answer, timer.elapsed]);
      if (value !== ELAPSED) {
        breaker?.succeeded();
        return outcome(value);
      }
      storeTimeouts += 1;
      answer.catch(() => {
        storeErrors += 1;
      });
    } catch {
      storeErrors += 1;
    } finally {
      timer.stop();
    }
    breaker?.failed();
    return otherwise();
  }

  function scheduleFlush(): void {
    if (store === undefined || flushing !== undefined) return;
    flushing = flush(store).finally(() => {
      flushing = undefined;
      if (canWrite()) scheduleFlush();
    });
  }

  function canWrite(): boolean {
    return breaker?.state === 'closed' && writeBehind.length > 0;
  }

  /** Writes batch after batch until nothing is left or the breaker opens. Never rejects. */
  async function flush(ledger: AssignmentStore): Promise<void> {
    // Lets the requests of this turn of the event loop share the first batch.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    while (canWrite()) {
      const batch = writeBehind.take(BATCH);
      const outcomes = await Promise.all(batch.map((write) => writeNow(ledger, write)));
      // Some written is a store that is there, though not for all: a Cluster without one of
      // its nodes. The rest waits its turn; at once, it would be asked for over and over.
      if (outcomes.includes(true)) breaker?.succeeded();
      else outcomes.forEach(() => breaker?.failed());
      if (outcomes.includes(false)) await startTimer(RETRY_DELAY).elapsed;
    }
  }

  async function writeNow(ledger: AssignmentStore, write: PendingWrite): Promise<boolean> {
    const { visitor, experiment, proposal, variants } = write;
    try {
      const entry = await ledger.getOrSet(visitor, experiment, proposal, variants);
      remember(visitor, experiment, entry, cacheMaxAge);
      return true;
    } catch {
      storeErrors += 1;
      writeBehind.putBack(write);
      return false;
    }
  }

  /**
   * Asks for writes if some are waiting: a store can be well enough to read, and no more. One
   * that succeeds is enough. A Cluster that has lost a node serves the visitors of the others,
   * so those that are asked for come from all over the queue.
   */
  async function probe(ledger: AssignmentStore): Promise<void> {
    const waiting = writeBehind.sample(PROBES);
    const calls =
      waiting.length === 0
        ? [attempt<unknown>(() => ledger.get(PROBE_VISITOR))]
        : waiting.map(({ visitor, experiment, proposal, variants }) =>
            attempt<unknown>(() => ledger.getOrSet(visitor, experiment, proposal, variants)),
          );
    const call = Promise.any(calls);
    const timer = startTimer(deadline);
    try {
      // A store that answers after the deadline is of no use to a request.
      if ((await Promise.race([call, timer.elapsed])) === ELAPSED) {
        call.catch(() => {
          storeErrors += 1;
        });
        throw new Error('The store answers, but later than the deadline');
      }
    } finally {
      timer.stop();
    }
  }

  return {
    assign,
    status: () => ({
      breaker: breaker?.state,
      breakerOpened: breaker?.opened ?? 0,
      writeBehindLength: writeBehind.length,
      writeBehindDropped: writeBehind.dropped,
      storeErrors,
      storeTimeouts,
      cached: cache.size,
    }),
    async close(milliseconds = 2_000) {
      breaker?.close();
      scheduleFlush();
      const timer = startTimer(milliseconds);
      await Promise.race([flushing, timer.elapsed]);
      timer.stop();
    },
  };
}

/** A store is not trusted to reject instead of throwing. */
async function attempt<Value>(call: () => Promise<Value>): Promise<Value> {
  return await call();
}

function toStore({ variant, phase, revision }: Proposal): StoredAssignment {
  return { variant: variant.key, phase, revision };
}

const ELAPSED = Symbol('elapsed');

/**
 * A timer that keeps no process alive. Once due it lets the event loop poll for I/O before
 * it counts: after a stall of this process, the store's answer may be there to be read, and
 * blaming the store for the stall would open the breaker.
 */
function startTimer(milliseconds: number): { elapsed: Promise<typeof ELAPSED>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<typeof ELAPSED>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, ELAPSED), milliseconds).unref();
  });
  return { elapsed, stop: () => clearTimeout(timer) };
}

function paused(experiment: Experiment): AssignmentResult {
  const { key, control } = experiment;
  return { kind: 'unassigned', experiment: key, variant: control, source: 'paused' };
}
