import type { Cluster, Redis, Result } from 'ioredis';
import { VISITOR_DAYS, checkDay } from '../store.ts';
import type { Ledger, StoredAssignment } from '../store.ts';
import type { VisitorId } from '../visitor-cookie.ts';
import { connect } from './connect.ts';
import { GET_OR_SET } from './lua.ts';

export { inspectRedis, type RedisServerReport } from './inspect.ts';

/** The ledger and the visitor counter in Redis or Valkey, from version 6; Cluster too. */

export interface RedisStoreOptions {
  /** `redis://[user:password@]host:port[/db]`; see `connect` for Cluster addresses. */
  readonly url: string;
  /** Put before `{<visitor id>}`. Default `abtest:`. */
  readonly prefix?: string;
  /** Milliseconds a visitor is remembered after their last request that asked the store. */
  readonly ttl: number;
  /** Told of connection errors, which come as often as a connection is tried. */
  readonly onError?: (error: Error) => void;
}

/** Visitors of one PFADD: arguments of a call are few, and a command keeps the server busy. */
const PFADD_LIMIT = 1_000;

type GetOrSetReply = readonly [written: number, value: string];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    getOrSetAssignment(
      key: string,
      experiment: string,
      variant: string,
      phase: number,
      revision: number,
      ttl: number,
      variants: string,
    ): Result<GetOrSetReply, Context>;
  }
}

/**
 * Opens the store. It connects in the background, and again whenever the connection is
 * lost; calls reject until then.
 *
 * @throws TypeError for a URL that is none
 */
export function createRedisStore(options: RedisStoreOptions): Ledger {
  const { url, prefix = 'abtest:', ttl, onError } = options;
  const redis = connect(url);
  redis.defineCommand('getOrSetAssignment', { numberOfKeys: 1, lua: GET_OR_SET });
  // An `error` event that nobody listens to ends the process.
  redis.on('error', (error: Error) => onError?.(error));

  const pending = new Set<Promise<unknown>>();
  function track<Value>(call: Promise<Value>): Promise<Value> {
    pending.add(call);
    const settled = (): void => void pending.delete(call);
    call.then(settled, settled);
    return call;
  }

  // One command after the other: assignments share the connection, and go in between.
  async function addTo(key: string, visitors: readonly VisitorId[]): Promise<void> {
    for (let from = 0; from < visitors.length; from += PFADD_LIMIT) {
      const some = visitors.slice(from, from + PFADD_LIMIT);
      await Promise.all([redis.pfadd(key, ...some), redis.expire(key, VISITOR_DAYS * 86_400)]);
    }
  }

  return {
    async getOrSet(visitor, experiment, { variant, phase, revision }, variants) {
      const [written, value] = await track(
        redis.getOrSetAssignment(
          `${prefix}{${visitor}}`,
          experiment,
          variant,
          phase,
          revision,
          ttl,
          `,${variants.join(',')},`,
        ),
      );
      return { ...parse(value), written: written === 1 };
    },
    async get(visitor) {
      const fields = await track(redis.hgetall(`${prefix}{${visitor}}`));
      return new Map(Object.entries(fields).map(([name, value]) => [name, parse(value)]));
    },
    visitors: {
      async add(experiment, phase, variant, day, visitors) {
        const key = counterKey(experiment, phase, variant, day);
        await track(addTo(key, visitors));
      },
      count: async (experiment, phase, variant, day) =>
        track(redis.pfcount(counterKey(experiment, phase, variant, day))),
    },
    ready: (milliseconds) => becomesReady(redis, milliseconds),
    async close() {
      await Promise.allSettled(pending);
      redis.disconnect();
    },
  };
}

function counterKey(experiment: string, phase: number, variant: string, day: string): string {
  checkDay(day);
  return `turnout:visitors:{${experiment}:${phase}:${variant}}:${day}`;
}

function parse(value: string): StoredAssignment {
  const [variant = '', phase, revision] = value.split(':');
  return { variant, phase: Number(phase), revision: Number(revision) };
}

function becomesReady(redis: Redis | Cluster, milliseconds: number): Promise<boolean> {
  if (redis.status === 'ready') return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (isReady: boolean): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      resolve(isReady);
    };
    const onReady = (): void => settle(true);
    const timer = setTimeout(() => settle(false), milliseconds);
    redis.once('ready', onReady);
  });
}
