import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { readConfig, type Config } from '@turnout/contracts';
import { writeAddressFile, type AddressFile } from '@turnout/contracts/address-file';
import { cookieSecrets } from '@turnout/contracts/cookie-secrets';
import { configProblems } from './config-problems.ts';
import { openEventLog } from './events/event-log.ts';
import { warnOfLossyRedis } from './events/redis-durability.ts';
import { Fleet } from './fleet.ts';
import { FleetMetrics } from './fleet-metrics.ts';
import { heldExperiment, type HeldSnapshot } from './held-snapshot.ts';
import { openLedger } from './ledger.ts';
import { listenProblem } from './listen-problem.ts';
import { createLog, type Logger } from './log.ts';
import { createPrivateServer } from './private-server.ts';
import { SnapshotWatch } from './snapshot-watch.ts';

export interface ServeOptions {
  /** Path of the configuration file. */
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A start that can't succeed; the message says what to change. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Runs the edge: this process becomes the primary, which starts the workers, and
 * serves the private port. Returns once visitors are answered; the process then
 * lives until SIGTERM or SIGINT, and drains.
 *
 * @throws {ConfigError | StartError | Error} when it can't start, saying why
 */
export async function serve({ configFile, env }: ServeOptions): Promise<void> {
  const config = readConfig(readSource(configFile), configFile, env, configProblems);
  const dataDir = resolve(dirname(configFile), config.dataDir);
  const { log, flush } = createLog({ process: 'edge', pid: process.pid });
  // A plain reverse proxy keeps nothing, so it needs no folder.
  const isTesting = config.experiments !== undefined;
  const secrets = isTesting ? (config.cookieSecrets ?? cookieSecrets(dataDir)) : [];
  const ledger = isTesting ? openLedger(config, dataDir) : undefined;
  const events = isTesting ? openEventLog(config, dataDir) : undefined;
  const fleet = new Fleet({
    size: config.workers ?? availableParallelism(),
    start: { kind: 'start', config, dataDir, cookieSecrets: secrets },
    drain: config.drain,
    log,
  });
  const adopt = (snapshot: HeldSnapshot): void => fleet.adopt(snapshot);
  const watch = isTesting ? createWatch(config, dataDir, log, adopt) : undefined;
  const changes = ledger?.onChanged((visitor) => fleet.forget(visitor));
  const metrics = new FleetMetrics(fleet, watch, ledger?.visitors, events, Date.now);
  const privateServer = createPrivateServer(fleet, metrics, log);

  let address: AddressFile | undefined;
  const stop = async (code: number, reason: string) => {
    log.info({ reason }, 'draining');
    address?.remove();
    changes?.close();
    // Nothing is followed from now on; but a store that hangs holds up no drain.
    const closed = watch
      ?.close()
      .catch((error: unknown) =>
        log.warn({ err: error }, 'the store of experiments could not be closed'),
      );
    await fleet.drain();
    await closed;
    privateServer.close();
    privateServer.closeAllConnections();
    await ledger?.close();
    await events?.close();
    log.info('stopped');
    await flush();
    process.exit(code);
  };
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => (stopping ??= stop(0, signal)));
  }

  try {
    if (watch === undefined) adopt(NO_EXPERIMENTS);
    const [[port]] = await Promise.race([
      Promise.all([once(fleet, 'listening'), watch?.begin()]),
      once(fleet, 'hopeless').then(([reason]) => {
        throw new StartError(String(reason));
      }),
    ]);
    privateServer.listen(config.private.port, config.private.address);
    await once(privateServer, 'listening').catch((error: unknown) => {
      throw new StartError(
        listenProblem(error, 'private', config.private.port, 'TURNOUT_PRIVATE_PORT'),
        { cause: error },
      );
    });
    if (isTesting) address = tellAddress(dataDir, privateServer.address(), log);
    log.info(
      {
        publicPort: port,
        privatePort: portOf(privateServer.address()),
        workers: config.workers ?? availableParallelism(),
        store: storeName(config.redis, isTesting),
        revision: watch?.current.revision,
        experiments: (watch?.current.experiments ?? []).map(({ key }) => key),
      },
      'serving',
    );
    // In its own time: nobody waits for it.
    if (isTesting && config.redis !== undefined) void warnOfLossyRedis(config.redis, log);
    await flush();
  } catch (error) {
    await watch?.close();
    await fleet.drain();
    await ledger?.close();
    await events?.close();
    await flush();
    throw error;
  }
}

/** Where this edge's private port is, for the command line: it need not be the configuration's. */
function tellAddress(
  dataDir: string,
  bound: AddressInfo | string | null,
  log: Logger,
): AddressFile | undefined {
  if (typeof bound !== 'object' || bound === null) return undefined;
  const { address, family, port } = bound;
  // An address that means all of them is one that nobody can call.
  const host = /^(0\.0\.0\.0|::)$/.test(address) ? '127.0.0.1' : address;
  const url = `http://${family === 'IPv6' && host !== '127.0.0.1' ? `[${host}]` : host}:${port}`;
  try {
    return writeAddressFile(dataDir, 'edge.json', url);
  } catch (error) {
    log.warn({ err: error }, 'the command line will have to be told where the private port is');
    return undefined;
  }
}

const NO_EXPERIMENTS: HeldSnapshot = { revision: 0, publishedAt: 0, experiments: [] };

/** Until something is published, the experiments of the configuration count. */
function createWatch(
  { redis, upstreams, experiments = [] }: Config,
  dataDir: string,
  log: Logger,
  adopt: (snapshot: HeldSnapshot) => void,
): SnapshotWatch {
  const seeds = experiments.map((document) =>
    heldExperiment({ document, text: JSON.stringify(document) }),
  );
  return new SnapshotWatch({
    dataDir,
    redis,
    upstreams: Object.keys(upstreams),
    present: { ...NO_EXPERIMENTS, experiments: seeds },
    adopt,
    log,
  });
}

function readSource(configFile: string): string {
  try {
    return readFileSync(configFile, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`Can't read the configuration: ${reason}. Name it by --config FILE.`, {
      cause: error,
    });
  }
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

function storeName(redis: string | undefined, isTesting: boolean): string {
  if (!isTesting) return 'none';
  return redis === undefined ? 'embedded' : 'redis';
}
