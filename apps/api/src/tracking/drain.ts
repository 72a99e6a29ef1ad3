import type { TrackingEvent } from '@turnout/contracts/event';
import type { EventReader } from '@turnout/event-log';
import { digestOf } from '../repository/digest.ts';
import { RepositoryUnavailable, RepositoryUnusable } from '../repository/product-repository.ts';
import type { TrackingRepository, UnreadableEvent } from '../repository/tracking-repository.ts';
import { readEvent, reasonOf } from './read-event.ts';

export interface DrainOptions {
  readonly reader: EventReader;
  readonly repository: TrackingRepository;
  /** Events of one transaction, at most. */
  readonly batch: number;
  readonly now: () => Date;
  /** Waits so many milliseconds; rejects when the signal is aborted. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  readonly report: DrainReport;
}

/** Told what the drain does. */
export interface DrainReport {
  /** So many events are in SQL, and out of the log. */
  stored(events: number): void;
  /** Events were set aside, since they can not be stored. */
  setAside(events: readonly UnreadableEvent[]): void;
  /** The log or the database is out of reach; the next try is so many milliseconds away. */
  failed(error: unknown, delay: number): void;
  /** It goes on after failures. */
  recovered(): void;
}

export interface Drain {
  /** Begins no further batch, and resolves when the one under way is stored or given up. */
  stop(): Promise<void>;
}

/** How long a read waits for the first event, in milliseconds. */
const WAIT = 500;
/** Delays between tries, in milliseconds: the first, doubled each time up to the longest. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 5_000;

/**
 * Carries events from the log to SQL, until it is stopped. A batch is acknowledged once it is
 * stored, so that one which was interrupted comes again, and changes nothing then that it has
 * changed before. While the log or the database is out of reach it waits, and the log holds.
 */
export function startDrain(options: DrainOptions): Drain {
  const { reader, batch, pause, report } = options;
  const stopped = new AbortController();
  const { signal } = stopped;

  async function run(): Promise<void> {
    let delay = FIRST_DELAY;
    while (!signal.aborted) {
      try {
        const logged = await reader.read(batch, WAIT);
        if (logged.length > 0) {
          await storeTexts(
            options,
            logged.map(({ text }) => text),
          );
          await reader.ack(logged.map(({ id }) => id));
          report.stored(logged.length);
        }
        if (delay !== FIRST_DELAY) report.recovered();
        delay = FIRST_DELAY;
      } catch (error) {
        if (signal.aborted) return;
        report.failed(error, delay);
        await pause(delay, signal).catch(() => undefined);
        delay = Math.min(delay * 2, LONGEST_DELAY);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

interface Readable {
  readonly event: TrackingEvent;
  readonly text: string;
}

/** Stores what can be stored, and sets the rest aside. */
async function storeTexts(options: DrainOptions, texts: readonly string[]): Promise<void> {
  const read = texts.map(readEvent);
  await storeEvents(
    options,
    read.filter((each) => each.kind === 'event'),
  );
  const unreadable = read.filter((each) => each.kind === 'unreadable');
  await setAside(
    options,
    unreadable.map(({ text, reason }) => ({ text, reason, digest: digestOf(text) })),
  );
}

/**
 * Stores all of them; if the database refuses, half of them at a time, so that one event that
 * it does not take is found and holds up no other.
 */
async function storeEvents(options: DrainOptions, events: readonly Readable[]): Promise<void> {
  try {
    await options.repository.store(events.map(({ event }) => event));
  } catch (error) {
    if (error instanceof RepositoryUnavailable || error instanceof RepositoryUnusable) throw error;
    const [first] = events;
    if (first === undefined) throw error;
    if (events.length === 1) {
      const { text } = first;
      return setAside(options, [{ text, reason: reasonOf(error), digest: digestOf(text) }]);
    }
    const half = Math.ceil(events.length / 2);
    await storeEvents(options, events.slice(0, half));
    await storeEvents(options, events.slice(half));
  }
}

async function setAside(
  { repository, report, now }: DrainOptions,
  events: readonly UnreadableEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await repository.setAside(events, now());
  report.setAside(events);
}
