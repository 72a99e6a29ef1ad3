import { becomesReady, connect, createPendingCalls } from '@turnout/router-core/redis-connection';
import type { Result } from 'ioredis';
import { ACK, APPEND, TAKE_MORE, TAKE_OWN } from './lua.ts';

/** What the log and its readers agree on. */
export interface RedisStreamOptions {
  /** `redis://[user:password@]host:port[/db]`; Sentinels and Cluster as for the ledger. */
  readonly url: string;
  /**
   * Streams that the events are spread over, so that the nodes of a Cluster share them. The
   * same number everywhere; a reader with more than an edge misses nothing. Default 4.
   */
  readonly partitions?: number;
  /** Told of connection errors, which come as often as a connection is tried. */
  readonly onError?: (error: Error) => void;
}

export const DEFAULT_PARTITIONS = 4;
/** Milliseconds until a call is given up, and with it a connection that says nothing. */
const PATIENCE = 1_000;

export type Entry = readonly [id: string, text: string];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    appendEvents(key: string, ...events: readonly string[]): Result<null, Context>;
    takeOwnEvents(
      key: string,
      group: string,
      reader: string,
      limit: number,
    ): Result<readonly Entry[], Context>;
    takeMoreEvents(
      key: string,
      group: string,
      reader: string,
      limit: number,
      lease: number,
    ): Result<readonly Entry[], Context>;
    acknowledgeEvents(key: string, group: string, ...ids: readonly string[]): Result<null, Context>;
  }
}

/** The key of a stream. */
export function keyOf(partition: number): string {
  return `turnout:events:{${partition}}`;
}

/**
 * Opens a connection that knows the scripts. It connects in the background, and again whenever
 * it is lost; calls reject until then, but for those made before the first connection, which
 * wait for it as long as any call waits for its answer.
 *
 * @throws TypeError for a URL that is none
 */
export function openStreams({ url, onError = () => {} }: RedisStreamOptions): Streams {
  const redis = connect(url, { patience: PATIENCE });
  redis.defineCommand('appendEvents', { numberOfKeys: 1, lua: APPEND });
  redis.defineCommand('takeOwnEvents', { numberOfKeys: 1, lua: TAKE_OWN });
  redis.defineCommand('takeMoreEvents', { numberOfKeys: 1, lua: TAKE_MORE });
  redis.defineCommand('acknowledgeEvents', { numberOfKeys: 1, lua: ACK });
  // An `error` event that nobody listens to ends the process.
  redis.on('error', onError);
  const calls = createPendingCalls(PATIENCE);
  const connected = becomesReady(redis, PATIENCE);
  let isClosed = false;

  return {
    async call(command) {
      await connected;
      if (isClosed) throw new Error('The event log was closed');
      return calls.settle(command(redis));
    },
    async callAll(commands) {
      await connected;
      if (isClosed) throw new Error('The event log was closed');
      const sent = commands(redis);
      // Of those that are not waited for any more.
      for (const answer of sent) answer.catch(() => {});
      for (const answer of sent) await calls.settle(answer);
    },
    async close() {
      isClosed = true;
      await calls.drained();
      redis.disconnect();
    },
  };
}

type Client = ReturnType<typeof connect>;

interface Streams {
  /** Rejects when the server is out of reach, refuses, or says nothing for a second. */
  call<Value>(command: (redis: Client) => Promise<Value>): Promise<Value>;
  /**
   * Sends several at once, which one connection keeps in order. Each may take a second from
   * the answer before it: a large batch takes its time, as long as it goes on.
   */
  callAll(commands: (redis: Client) => readonly Promise<unknown>[]): Promise<void>;
  /** Waits for the calls under way. */
  close(): Promise<void>;
}
