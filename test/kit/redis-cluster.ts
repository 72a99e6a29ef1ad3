import { runRedisCommand, startRedis, type RedisServer } from './redis-server.ts';
import { until } from './until.ts';

/** A Cluster of three primaries without replicas, each with a third of the slots. */
export interface RedisCluster {
  /** For stores: `redis+cluster://…` with all nodes. */
  readonly url: string;
  readonly nodes: readonly [RedisServer, RedisServer, RedisServer];
  stop(): Promise<void>;
}

const SLOTS = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383],
] as const;
const SETTINGS = [
  '--cluster-node-timeout',
  '1000',
  // A node that is lost takes its own slots with it, and no more.
  '--cluster-require-full-coverage',
  'no',
];

export async function startRedisCluster(): Promise<RedisCluster> {
  const started = await Promise.all(
    SLOTS.map(async (slots) => startRedis({ cluster: slots, settings: SETTINGS })),
  );
  const [first, second, third] = started;
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((node) => node.stop()));
  };
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error('Expected three nodes');
  }
  try {
    for (const node of [second, third]) {
      runRedisCommand(
        first.port,
        'CLUSTER',
        'MEET',
        node.host,
        String(node.port),
        String(node.busPort),
      );
    }
    await until('one Cluster', () => started.every(({ port }) => knowsAll(port)), Boolean);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+cluster://${started.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    nodes: [first, second, third],
    stop,
  };
}

function knowsAll(port: number): boolean {
  const info = runRedisCommand(port, 'CLUSTER', 'INFO');
  return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384');
}
