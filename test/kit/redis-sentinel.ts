import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runRedisCommand, startRedis, type RedisServer } from './redis-server.ts';
import { endServerProcess, freePort, startServerProcess } from './server-process.ts';
import { until } from './until.ts';

/** A primary with a replica, and three Sentinels that make the replica the primary when it is lost. */
export interface RedisSentinels {
  /** For stores: `redis+sentinel://…/ledger`. */
  readonly url: string;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Whether the replica has all that was written to the primary so far. */
  isReplicated(): boolean;
  stop(): Promise<void>;
}

const NAME = 'ledger';
const SENTINELS = 3;

export async function startRedisSentinels(): Promise<RedisSentinels> {
  const folder = await mkdtemp(join(tmpdir(), 'turnout-sentinel-'));
  const primary = await startRedis({ settings: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis({
    settings: ['--replicaof', primary.host, String(primary.port)],
  });
  const sentinels: { readonly process: ChildProcess; readonly port: number }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([
      ...sentinels.map(({ process }) => endServerProcess(process, 'SIGTERM')),
      primary.stop(),
      replica.stop(),
    ]);
    await rm(folder, { recursive: true, force: true });
  };
  const isReplicated = (): boolean =>
    replicationOffset(primary.port) === replicationOffset(replica.port);
  try {
    const link = (): string => runRedisCommand(replica.port, 'INFO', 'replication');
    await until('a replica', link, (info) => info.includes('master_link_status:up'));
    while (sentinels.length < SENTINELS) sentinels.push(await startSentinel(folder, primary));
    await until(
      'Sentinels that know all',
      () => sentinels.every(({ port }) => knowsAll(port)),
      Boolean,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const nodes = sentinels.map(({ port }) => `${primary.host}:${port}`).join(',');
  return { url: `redis+sentinel://${nodes}/${NAME}`, primary, replica, isReplicated, stop };
}

async function startSentinel(
  folder: string,
  primary: RedisServer,
): Promise<{ process: ChildProcess; port: number }> {
  const port = await freePort();
  const file = join(folder, `sentinel-${port}.conf`);
  // Sentinels write what they learn into their file.
  await writeFile(
    file,
    `port ${port}
bind ${primary.host}
dir ${folder}
sentinel monitor ${NAME} ${primary.host} ${primary.port} 2
sentinel down-after-milliseconds ${NAME} 1000
sentinel failover-timeout ${NAME} 5000
`,
  );
  const process = await startServerProcess('redis-server', [file, '--sentinel'], '+monitor');
  return { process, port };
}

function knowsAll(port: number): boolean {
  const info = runRedisCommand(port, 'INFO', 'sentinel');
  return info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`);
}

function replicationOffset(port: number): string | undefined {
  return /master_repl_offset:(\d+)/.exec(runRedisCommand(port, 'INFO', 'replication'))?.[1];
}
