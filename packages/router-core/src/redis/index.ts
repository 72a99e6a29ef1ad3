import type { Result } from 'ioredis';
import { VISITOR_DAYS, checkDay } from '../store.ts';
import type { Ledger, StoredAssignment } from '../store.ts';
import type { VisitorId } from '../visitor-cookie.ts';
import { defineNote, followChanges, noteChange } from './changed-visitors.ts';
import { becomesReady, connect } from './connect.ts';
import { FORGET, GET_OR_SET, SET } from './lua.ts';
import { createPendingCalls } from './pending-calls.ts';

export { inspectRedis } from './inspect.ts';
export type { RedisServerReport } from './inspect.ts';
export { createRedisSnapshotStore } from './snapshot-store.ts';
export type { RedisSnapshotStoreOptions } from './snapshot-store.ts';

/** The ledger and the visitor counter in Redis or Valkey, from version 6; Sentinels and Cluster too. */

export interface RedisStoreOptions {
  /** `redis://[user:password@]host:port[/db]`; see `RedisAddress` for Sentinels and Cluster. */
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
/**
 * Milliseconds until a call is given up, and with it a connection that says nothing. No
 * request waits that long: it goes on without the ledger far sooner.
 */
const PATIENCE = 1_000;

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
      departures: string,
    ): Result<GetOrSetReply, Context>;
    setAssignment(
      key: string,
      experiment: string,
      value: string,
      ttl: number,
    ): Result<null, Context>;
    forgetVisitor(key: string): Result<number, Context>;
  }
}

/**
 * Opens the store. It connects in the background, and again whenever the connection is
 * lost; calls reject until then.
 *
 * @throws TypeError for a URL that is none
 */
export function createRedisStore(options: RedisStoreOptions): Ledger {
  const { url, prefix = 'abtest:', ttl, onError = () => {} } = options;
  const redis = connect(url, { patience: PATIENCE });
  redis.defineCommand('getOrSetAssignment', { numberOfKeys: 1, lua: GET_OR_SET });
  redis.defineCommand('setAssignment', { numberOfKeys: 1, lua: SET });
  redis.defineCommand('forgetVisitor', { numberOfKeys: 1, lua: FORGET });
  defineNote(redis);
  // An `error` event that nobody listens to ends the process.
  redis.on('error', onError);

  const calls = createPendingCalls(PATIENCE);
  const adding = new Set<Promise<void>>();
  const subscriptions = new Set<{ close(): void }>();
  const keyOf = (visitor: VisitorId): string => `${prefix}{${visitor}}`;

  // One command after the other: assignments share the connection, and go in between.
  async function addTo(key: string, visitors: readonly VisitorId[]): Promise<void> {
    for (let from = 0; from < visitors.length; from += PFADD_LIMIT) {
      const some = visitors.slice(from, from + PFADD_LIMIT);
      await Promise.all([
        calls.settle(redis.pfadd(key, ...some)),
        calls.settle(redis.expire(key, VISITOR_DAYS * 86_400)),
      ]);
    }
  }

  return {
    async getOrSet(visitor, experiment, { variant, phase, revision }, variants, departures = []) {
      const [written, value] = await calls.settle(
        redis.getOrSetAssignment(
          keyOf(visitor),
          experiment,
          variant,
          phase,
          revision,
          ttl,
          `,${variants.join(',')},`,
          `,${departures.map(({ variant: left, before }) => `${left}:${before}`).join(',')},`,
        ),
      );
      return { ...parse(value), written: written === 1 };
    },
    async get(visitor) {
      const fields = await calls.settle(redis.hgetall(keyOf(visitor)));
      return new Map(Object.entries(fields).map(([name, value]) => [name, parse(value)]));
    },
    async set(visitor, experiment, { variant, phase, revision }) {
      const value = `${variant}:${phase}:${revision}`;
      await calls.settle(redis.setAssignment(keyOf(visitor), experiment, value, ttl));
      await calls.settle(noteChange(redis, visitor));
    },
    async forget(visitor) {
      const assignments = await calls.settle(redis.forgetVisitor(keyOf(visitor)));
      // Also when there was nothing: an edge may remember what was never written.
      await calls.settle(noteChange(redis, visitor));
      return assignments;
    },
    onChanged(listener) {
      const changes = followChanges(url, redis, listener, onError);
      const subscription = {
        close() {
          subscriptions.delete(subscription);
          changes.close();
        },
      };
      subscriptions.add(subscription);
      return subscription;
    },
    visitors: {
      async add(experiment, phase, variant, day, visitors) {
        const call = addTo(counterKey(experiment, phase, variant, day), visitors);
        adding.add(call);
        await call.finally(() => adding.delete(call));
      },
      count: async (experiment, phase, variant, day) =>
        calls.settle(redis.pfcount(counterKey(experiment, phase, variant, day))),
      async countOver(experiment, phase, variant, days) {
        const keys = days.map((day) => counterKey(experiment, phase, variant, day));
        return keys.length === 0 ? 0 : calls.settle(redis.pfcount(...keys));
      },
    },
    ready: (milliseconds) => becomesReady(redis, milliseconds),
    async close() {
      for (const subscription of subscriptions) subscription.close();
      await Promise.allSettled(adding);
      await calls.drained();
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
