import { LRUCache } from 'lru-cache';
import {
  assigned,
  departuresOf,
  isMoved,
  mirrorEntryOf,
  proposeFromHash,
  proposeFromMirror,
  withoutAssignment,
} from './assignment.ts';
import type { AssignmentResult, Proposal, Visitor } from './assignment.ts';
import { createBreaker } from './breaker.ts';
import type { BreakerOptions, BreakerState } from './breaker.ts';
import type { Experiment } from './experiment.ts';
import type { AssignmentStore, LedgerEntry, StoredAssignment } from './store.ts';
import { visitorId } from './visitor-cookie.ts';
import type { MirrorEntry, VisitorId } from './visitor-cookie.ts';
import { createWriteBehind } from './write-behind.ts';
import type { PendingWrite } from './write-behind.ts';

/**
 * Agrees a visitor's variant with the ledger: LRU, then store, then the cookie's mirror,
 * then the hash. The store is asked once per visitor, experiment and cache age; it is
 * waited for until a deadline and no longer; and what it missed is written behind.
 *
 * Memory outlives revisions, but what it says is held against each of them: a move leads a
 * visitor on, whoever remembers where they were. It also gives way to a cookie that has
 * changed since, as another process that knew of a newer revision may have moved the visitor.
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
  /**
   * The visitor's cookie is being set to what was assigned: whatever else it says from now on
   * is news, even what it had said before.
   */
  told(visitor: VisitorId, experiment: string): void;
  /**
   * Drops all that is remembered of a visitor, and what waits to be written. A write that is
   * under way still reaches the store, up to the deadline and more: erase there afterwards.
   */
  forget(visitor: VisitorId): void;
  status(): AssignerStatus;
  /** Writes what is still to be written, for up to `milliseconds` (default 2,000). Leaves the store open. */
  close(milliseconds?: number): Promise<void>;
}

/** An assignment in memory; without a variant, the store said that there is none. */
interface CacheEntry {
  readonly assignment: StoredAssignment | undefined;
  readonly expires: number;
  /** What the cookie said when this was found out, if it said something: the variant may be gone. */
  mirrored: Pick<MirrorEntry, 'variant' | 'phase'> | undefined;
  /** The experiment's revision whose moves leave the assignment where it is. */
  checked: number;
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
  /** Whatever stands in memory is about one of these: few, where visitors are many. */
  const experiments = new Set<string>();
  let forgets = 0;
  let flushing: Promise<void> | undefined;

  function assign(
    visitor: Visitor,
    experiment: Experiment,
  ): AssignmentResult | Promise<AssignmentResult> {
    const settled = withoutAssignment(experiment, visitor.id);
    if (settled !== undefined) return settled;

    const recalled = recall(visitor, experiment);
    if (recalled !== undefined) return recalled;

    const mirrored = proposeFromMirror(experiment, visitor);
    if (experiment.status === 'paused') {
      if (visitor.minted) return paused(experiment);
      const own = mirrored ?? proposeFromMemory(visitor, experiment);
      if (store === undefined || breaker?.state !== 'closed') {
        return own === undefined ? paused(experiment) : settle(visitor, experiment, own);
      }
      return lookUp(store, visitor, experiment, own);
    }

    const proposal = mirrored ?? proposeFromHash(experiment, visitor.id);
    if (store === undefined || visitor.minted || breaker?.state !== 'closed') {
      return settle(visitor, experiment, proposal);
    }
    return agree(store, visitor, experiment, proposal);
  }

  function fromCache(id: VisitorId, experiment: Experiment): CacheEntry | undefined {
    const entry = cache.get(id + experiment.key);
    return entry === undefined || entry.expires <= now() ? undefined : entry;
  }

  /** What memory says, unless a move or a newer cookie says otherwise. */
  function recall(visitor: Visitor, experiment: Experiment): AssignmentResult | undefined {
    const entry = fromCache(visitor.id, experiment);
    if (entry === undefined || isOutdated(entry, mirrorEntryOf(experiment, visitor.mirror))) {
      return undefined;
    }
    const { assignment } = entry;
    if (assignment === undefined) {
      return experiment.status === 'paused' ? paused(experiment) : undefined;
    }
    if (entry.checked !== experiment.revision) {
      if (isMoved(experiment, visitor.id, assignment)) return undefined;
      // Another process may have followed a move that has ended since: only the store knows.
      if (entry.checked >= experiment.movesEnded) entry.checked = experiment.revision;
      else if (breaker?.state === 'closed') return undefined;
    }
    return assigned(experiment, assignment, 'cache');
  }

  /** Where a move leads somebody of whom memory alone knows that they are assigned. */
  function proposeFromMemory({ id }: Visitor, experiment: Experiment): Proposal | undefined {
    const assignment = fromCache(id, experiment)?.assignment;
    if (assignment === undefined || !isMoved(experiment, id, assignment)) return undefined;
    return proposeFromHash(experiment, id);
  }

  function remember(
    visitor: Visitor,
    experiment: Experiment,
    assignment: StoredAssignment | undefined,
    maxAge: number,
  ): void {
    experiments.add(experiment.key);
    cache.set(visitor.id + experiment.key, {
      assignment,
      expires: now() + maxAge,
      mirrored: mirroredBy(visitor, experiment),
      checked: experiment.revision,
    });
  }

  /** Takes the proposal without the store's word, and sees that the store hears of it. */
  function settle(visitor: Visitor, experiment: Experiment, proposal: Proposal): AssignmentResult {
    const { key, variantKeys } = experiment;
    const assignment = toStore(proposal);
    remember(visitor, experiment, assignment, maxAgeOf(visitor));
    if (store !== undefined) {
      writeBehind.push({
        visitor: visitor.id,
        experiment: key,
        proposal: assignment,
        variants: variantKeys,
        departures: departuresOf(experiment, visitor.id),
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
    const { key, variantKeys } = experiment;
    const begun = forgets;
    const answer = attempt(() =>
      ledger.getOrSet(id, key, toStore(proposal), variantKeys, departuresOf(experiment, id)),
    ).then((entry) => {
      // Also when the deadline has passed: the visitor's next request gets the truth.
      if (begun === forgets) remember(visitor, experiment, entry, cacheMaxAge);
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

  /** For a paused experiment: who is assigned stays, or goes where a move leads. */
  function lookUp(
    ledger: AssignmentStore,
    visitor: Visitor,
    experiment: Experiment,
    own: Proposal | undefined,
  ): Promise<AssignmentResult> {
    const begun = forgets;
    const withoutStore = (): AssignmentResult =>
      own === undefined ? paused(experiment) : settle(visitor, experiment, own);
    return withDeadline(
      attempt(() => ledger.get(visitor.id)).then((all) => all.get(experiment.key)),
      (stored) => {
        const result = stored && assigned(experiment, stored, 'store');
        if (stored !== undefined && result !== undefined) {
          if (isMoved(experiment, visitor.id, stored)) {
            return settle(visitor, experiment, own ?? proposeFromHash(experiment, visitor.id));
          }
          if (begun === forgets) remember(visitor, experiment, stored, cacheMaxAge);
          return result;
        }
        if (own === undefined && begun === forgets) {
          remember(visitor, experiment, undefined, UNCONFIRMED_MAX_AGE);
        }
        return withoutStore();
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
    const { visitor, experiment, proposal, variants, departures } = write;
    const begun = forgets;
    try {
      const entry = await ledger.getOrSet(visitor, experiment, proposal, variants, departures);
      if (begun === forgets) confirm(write, entry);
      return true;
    } catch {
      storeErrors += 1;
      writeBehind.putBack(write);
      return false;
    }
  }

  /** Remembers what the store made of a write. */
  function confirm({ visitor, experiment, proposal }: PendingWrite, entry: LedgerEntry): void {
    const key = visitor + experiment;
    experiments.add(experiment);
    cache.set(key, {
      assignment: entry,
      expires: now() + cacheMaxAge,
      mirrored: cache.peek(key)?.mirrored,
      checked: proposal.revision,
    });
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
        : waiting.map(({ visitor, experiment, proposal, variants, departures }) =>
            attempt<unknown>(() =>
              ledger.getOrSet(visitor, experiment, proposal, variants, departures),
            ),
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
    told(visitor, experiment) {
      const entry = cache.peek(visitor + experiment);
      if (entry?.mirrored !== undefined) entry.mirrored = entry.assignment;
    },
    forget(visitor) {
      forgets += 1;
      writeBehind.forget(visitor, experiments);
      for (const experiment of experiments) cache.delete(visitor + experiment);
    },
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

/** What the cookie says, in texts of its own: a piece of the cookie would hold all of it in memory. */
function mirroredBy({ mirror }: Visitor, experiment: Experiment): CacheEntry['mirrored'] {
  const entry = mirrorEntryOf(experiment, mirror);
  if (entry === undefined) return undefined;
  const known = experiment.variant(entry.variant)?.key;
  return { variant: known ?? Buffer.from(entry.variant).toString(), phase: entry.phase };
}

/**
 * Whether the cookie says something that was not known when the entry was made. Also if its
 * variant is gone: another process has led the visitor on since, so what is remembered is past.
 */
function isOutdated(
  { assignment, mirrored }: CacheEntry,
  mirror: MirrorEntry | undefined,
): boolean {
  return (
    mirror !== undefined &&
    mirror.variant !== assignment?.variant &&
    (mirror.variant !== mirrored?.variant || mirror.phase !== mirrored.phase) &&
    mirror.phase >= (assignment?.phase ?? 0)
  );
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
