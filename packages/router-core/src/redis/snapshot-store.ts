import { createHash } from 'node:crypto';
import type { Result } from 'ioredis';
import type { SnapshotStore } from '../snapshot-store.ts';
import { becomesReady, connect } from './connect.ts';
import { PUBLISH } from './lua.ts';
import { createPendingCalls } from './pending-calls.ts';
import { subscribe } from './subscription.ts';

/** What is published to all edges, in Redis or Valkey; Sentinels and Cluster too. */

export interface RedisSnapshotStoreOptions {
  /** See `RedisStoreOptions`. */
  readonly url: string;
  /** Told of connection errors, which come as often as a connection is tried. */
  readonly onError?: (error: Error) => void;
}

/** The snapshot, and the channel that tells of a new one. */
const KEY = 'turnout:experiments';
/** Its digest, in the same slot of a Cluster: the poll need not fetch what it knows. */
const DIGEST_KEY = `{${KEY}}:digest`;
/** Milliseconds between looks, behind the push. */
const POLL = 1_000;
/** Nobody's request waits here, and a snapshot can be large. */
const PATIENCE = 3_000;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    publishSnapshot(
      key: string,
      digestKey: string,
      text: string,
      digest: string,
      channel: string,
    ): Result<null, Context>;
  }
}

/**
 * Opens the store. It connects in the background, and again whenever the connection is
 * lost; calls reject until then.
 *
 * @throws TypeError for a URL that is none
 */
export function createRedisSnapshotStore(options: RedisSnapshotStoreOptions): SnapshotStore {
  const { url, onError = () => {} } = options;
  const redis = connect(url, { patience: PATIENCE });
  redis.defineCommand('publishSnapshot', { numberOfKeys: 2, lua: PUBLISH });
  redis.on('error', onError);
  const calls = createPendingCalls(PATIENCE);
  const followers = new Set<{ close(): void }>();
  let opened: Promise<boolean> | undefined;
  /** What was read last: a look at what nobody changed does not fetch it again. */
  let read: { readonly digest: string; readonly bytes: number; readonly text: string } | undefined;

  async function latest(): Promise<string | undefined> {
    // Right after the opening there is no connection yet, and it would fail at once.
    await (opened ??= becomesReady(redis, PATIENCE));
    // The digest alone says nothing of a text that was lost without it.
    const [digest, bytes] = await Promise.all([
      calls.settle(redis.get(DIGEST_KEY)),
      calls.settle(redis.strlen(KEY)),
    ]);
    if (read?.digest === digest && read.bytes === bytes) return read.text;
    const text = (await calls.settle(redis.get(KEY))) ?? undefined;
    const isKnown = text !== undefined && digest === digestOf(text);
    read = isKnown ? { digest, bytes: Buffer.byteLength(text), text } : undefined;
    return text;
  }

  return {
    async publish(text) {
      await calls.settle(redis.publishSnapshot(KEY, DIGEST_KEY, text, digestOf(text), KEY));
    },
    latest,
    follow(listener) {
      let told: string | undefined;
      let isClosed = false;
      let isLooking = false;
      let lookAgain = false;

      /** Tells what is new. Never rejects, unless the listener throws. */
      async function look(): Promise<void> {
        // A change that is pushed during a look may have come too late for it.
        lookAgain = isLooking;
        if (isLooking) return;
        isLooking = true;
        const text = await readNews(told).catch(() => undefined);
        isLooking = false;
        if (isClosed) return;
        if (text !== undefined && digestOf(text) !== told) {
          told = digestOf(text);
          listener(text);
        }
        if (lookAgain) await look();
      }

      /** The text, unless its digest says that it is known. */
      async function readNews(known: string | undefined): Promise<string | undefined> {
        const digest = await calls.settle(redis.get(DIGEST_KEY));
        return digest !== null && digest === known ? undefined : latest();
      }

      const timer = setInterval(() => void look(), POLL);
      const subscription = subscribe(url, KEY, () => void look(), onError);
      const onReady = (): void => void look();
      redis.on('ready', onReady);
      void look();
      const follower = {
        close() {
          isClosed = true;
          clearInterval(timer);
          redis.off('ready', onReady);
          subscription.close();
          followers.delete(follower);
        },
      };
      followers.add(follower);
      return follower;
    },
    async close() {
      for (const follower of followers) follower.close();
      await calls.drained();
      redis.disconnect();
    },
  };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
