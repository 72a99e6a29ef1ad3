import { Cluster, type Redis } from 'ioredis';
import { connect } from './connect.ts';

/** What one Redis server says of itself that matters to a ledger. */
export interface RedisServerReport {
  /** `host:port` */
  readonly address: string;
  /** Such as `7.0.15`; Valkey's own number where there is one. */
  readonly version: string;
  readonly role: 'master' | 'slave' | 'unknown';
  /** Whether writes go to an append-only file. */
  readonly appendOnly: boolean;
  /** `appendfsync`: when that file is on the disk. Undefined where CONFIG is forbidden. */
  readonly appendFsync: string | undefined;
  /** `maxmemory-policy`: what it does when memory is full. */
  readonly evictionPolicy: string;
  /** Bytes. */
  readonly usedMemory: number;
  /** Bytes; 0 for no limit of its own. */
  readonly memoryLimit: number;
}

/**
 * Asks each server of an address (all masters of a Cluster) about itself. INFO says most of it,
 * which hosted services allow, too.
 *
 * @param timeout milliseconds
 * @throws TypeError for an address that is none
 * @throws Error that says why it can't be reached
 */
export async function inspectRedis(url: string, timeout: number): Promise<RedisServerReport[]> {
  const redis = connect(url, { patience: timeout });
  try {
    await becomesReady(redis, timeout);
    const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
    return await Promise.all(nodes.map(inspectNode));
  } finally {
    redis.disconnect();
  }
}

async function inspectNode(node: Redis): Promise<RedisServerReport> {
  // Nodes of a Cluster connect when they are first used, and queue nothing until then.
  if (node.status === 'wait') await node.connect();
  const info = readInfo(await node.info());
  const appendFsync = await node.config('GET', 'appendfsync').then(readSetting, () => undefined);
  // Who answers, which is not always who was named: Sentinels name another.
  const { remoteAddress = '', remotePort = '' } = node.stream;
  return { address: `${remoteAddress}:${remotePort}`, ...info, appendFsync };
}

/** The value in an answer to CONFIG GET: a name and a value, or nothing. */
function readSetting(answer: unknown): string | undefined {
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Reads the text of INFO: `name:value` lines. What is missing is unknown, or off. */
export function readInfo(text: string): Omit<RedisServerReport, 'address' | 'appendFsync'> {
  const values = new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
  const role = values.get('role');
  return {
    version: values.get('valkey_version') ?? values.get('redis_version') ?? 'unknown',
    role: role === 'master' || role === 'slave' ? role : 'unknown',
    appendOnly: values.get('aof_enabled') === '1',
    evictionPolicy: values.get('maxmemory_policy') ?? 'unknown',
    usedMemory: Number(values.get('used_memory') ?? 0),
    memoryLimit: Number(values.get('maxmemory') ?? 0),
  };
}

/** @throws what the last attempt to connect failed with, or that there was no answer in time */
async function becomesReady(redis: Redis | Cluster, timeout: number): Promise<void> {
  let last = new Error(`no answer within ${timeout} ms`);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  redis.on('error', (error: Error) => {
    last = error;
    // What will not change by itself; a refused connection might, within the time.
    if (/^(WRONGPASS|NOAUTH|ERR AUTH)/.test(error.message)) reject(error);
  });
  redis.once('ready', resolve);
  const timer = setTimeout(() => reject(last), timeout);
  await promise.finally(() => clearTimeout(timer));
}
