import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExperimentResults } from '@turnout/contracts/results';
import { createRedisEventLog } from '@turnout/event-log/redis';
import { startApi } from './api-process.ts';
import { startEdge } from './edge-process.ts';
import { startLightUpstreams } from './light-upstreams.ts';
import { startMariadb } from './mariadb-server.ts';
import { descendantsOf } from './processes.ts';
import { startRedis } from './redis-server.ts';
import { freePort } from './server-process.ts';
import { until } from './until.ts';

/** What a crash can end. */
export const VICTIMS = ['worker', 'api', 'redis', 'mariadb'] as const;
export type Victim = (typeof VICTIMS)[number];

export const EXPERIMENT = 'shop';
/** Its variants, whose pages say which one they are of, and their weights. */
const WEIGHTS = { control: 50, a: 20, b: 30 };

/**
 * All that lies between a visitor and a result, as it is in production: an edge with two
 * workers, its upstreams, Redis that writes to its disk before it answers, the API, and MariaDB.
 */
export interface TrackedSite {
  /** Of the edge. */
  readonly url: string;
  readonly mysqlUrl: string;
  /**
   * Ends one as a crash would, and starts it again after a while. Resolves when it is back; of
   * a worker, when it has been killed, as its replacement is the edge's own business.
   *
   * @param downtime milliseconds
   * @param random in [0, 1): which of the workers
   */
  crash(victim: Victim, downtime: number, random: number): Promise<void>;
  /** Waits until nothing is in a spool or in the log: what was told is in SQL. */
  drained(): Promise<void>;
  /** Ends the edge as a deploy would: what its workers gathered is written down. */
  stopEdge(): Promise<void>;
  /** @throws {Error} unless the API answers with 200 */
  results(): Promise<ExperimentResults>;
  stop(): Promise<void>;
}

export async function startTrackedSite(): Promise<TrackedSite> {
  const [redis, mariadb, upstreams] = await Promise.all([
    startRedis({ settings: ['--appendfsync', 'always'] }),
    startMariadb(['--innodb-buffer-pool-size=128M']),
    startLightUpstreams(Object.keys(WEIGHTS)),
  ]);
  const config = {
    // One that stays when all workers have died: the system would choose another.
    public: { port: await freePort() },
    upstreams: upstreams.config,
    default: 'control',
    experiments: [
      {
        key: EXPERIMENT,
        status: 'running',
        variants: Object.entries(WEIGHTS).map(([key, weight]) => ({
          key,
          upstream: key,
          weight,
          control: key === 'control',
        })),
      },
    ],
  };
  const env = { TURNOUT_REDIS_URL: redis.url, TURNOUT_MYSQL_URL: mariadb.url };
  let api = await startApi(config, env);
  const edge = await startEdge({ config, env });
  const log = createRedisEventLog({ url: redis.url });
  const spool = join(edge.dataDir, 'spool');

  async function killWorker(random: number): Promise<void> {
    const workers = descendantsOf(edge.pid);
    const worker = workers[Math.floor(random * workers.length)];
    if (worker !== undefined) process.kill(worker.pid, 'SIGKILL');
  }

  async function crash(victim: Victim, downtime: number, random: number): Promise<void> {
    if (victim === 'worker') return killWorker(random);
    if (victim === 'api') {
      await api.kill();
      await sleep(downtime);
      api = await startApi(config, env, api);
      return;
    }
    const server = victim === 'redis' ? redis : mariadb;
    await server.kill();
    await sleep(downtime);
    await server.restart();
  }

  /** Bytes in the spools, of workers who live and who do not. */
  async function spooled(): Promise<number> {
    const files = (await readdir(spool)).filter((name) => name.endsWith('.lines'));
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(join(spool, name))).size),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  return {
    url: edge.url,
    mysqlUrl: mariadb.url,
    crash,
    async drained() {
      await until('empty spools', spooled, (bytes) => bytes === 0);
      await until(
        'an empty log',
        () => log.lag(),
        (lag) => lag === 0,
      );
    },
    stopEdge: async () => void (await edge.stop()),
    async results() {
      const response = await fetch(`${api.url}/v1/experiments/${EXPERIMENT}/results`, {
        headers: { Authorization: `Bearer ${api.adminToken}` },
      });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      const results: ExperimentResults = JSON.parse(await response.text());
      return results;
    },
    async stop() {
      await log.close();
      await Promise.all([edge.remove(), api.remove()]);
      await Promise.all([redis.stop(), mariadb.stop(), upstreams.close()]);
    },
  };
}
