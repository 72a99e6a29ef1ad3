import type { Redis, Result } from 'ioredis';
import { isVisitorId } from '../visitor-cookie.ts';
import type { VisitorId } from '../visitor-cookie.ts';
import { NOTE_CHANGE } from './lua.ts';
import { subscribe } from './subscription.ts';

/**
 * Which visitors were set or forgotten from outside. They are kept for a day, and a channel says
 * when to look: what is said there is heard only by who listens at that moment, and an edge that
 * was cut off, or hung, finds here what it missed.
 */

/** Kept by when they changed, in the server's time. */
const KEY = 'turnout:visitors-changed';
const CHANNEL = 'turnout:visitors';
/** Milliseconds that a change is kept. */
const KEPT = 86_400_000;
/** Milliseconds between two looks, besides those that the channel asks for. */
const EVERY = 1_000;
/** Milliseconds that the clocks of a server and of the one that takes its place may differ. */
const OVERLAP = 60_000;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    noteVisitorChange(
      key: string,
      visitor: string,
      kept: number,
      channel: string,
    ): Result<null, Context>;
  }
}

/** Notes a change, and tells everybody. */
export async function noteChange(
  redis: Pick<Redis, 'noteVisitorChange'>,
  visitor: VisitorId,
): Promise<void> {
  await redis.noteVisitorChange(KEY, visitor, KEPT, CHANNEL);
}

/** Makes the command that `noteChange` needs known to a connection. */
export function defineNote(redis: Pick<Redis, 'defineCommand'>): void {
  redis.defineCommand('noteVisitorChange', { numberOfKeys: 1, lua: NOTE_CHANGE });
}

/**
 * Tells of each change from now on once, also of those that come before the server can be asked.
 *
 * @param now milliseconds since 1970
 */
export function followChanges(
  url: string,
  redis: Pick<Redis, 'zrangebyscore'>,
  listener: (visitor: VisitorId) => void,
  onError: (error: Error) => void,
  now: () => number = Date.now,
): { close(): void } {
  /** When those changed who are told already, as far back as a look goes. */
  let told = new Map<string, number>();
  let last = 0;
  const begun = now();
  let isFirst = true;
  let isClosed = false;
  let looking: Promise<void> | undefined;
  let isAskedAgain = false;

  async function look(): Promise<void> {
    // What the first look finds was there before, whatever the clocks say.
    const isBaseline = isFirst;
    isFirst = false;
    const found = await redis.zrangebyscore(KEY, last - OVERLAP, '+inf', 'WITHSCORES');
    const seen = new Map<string, number>();
    for (let at = 0; at + 1 < found.length; at += 2) {
      const visitor = found[at] ?? '';
      const time = Number(found[at + 1]);
      seen.set(visitor, time);
      last = Math.max(last, time);
      const isNew = !isBaseline && time >= begun && told.get(visitor) !== time;
      if (isNew && !isClosed && isVisitorId(visitor)) listener(visitor);
    }
    told = seen;
  }

  /** One look at a time; who asks meanwhile gets another one, which sees what they know of. */
  function lookSoon(): void {
    if (looking !== undefined) {
      isAskedAgain = true;
      return;
    }
    // Out of reach: the next look finds what this one did not.
    looking = look()
      .catch(() => undefined)
      .finally(() => {
        looking = undefined;
        if (!isAskedAgain || isClosed) return;
        isAskedAgain = false;
        lookSoon();
      });
  }

  const changes = subscribe(url, CHANNEL, lookSoon, onError);
  const timer = setInterval(lookSoon, EVERY);
  lookSoon();
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
      changes.close();
    },
  };
}
