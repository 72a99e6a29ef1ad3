import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '@turnout/contracts';
import type { ExplainRequest, Explanation } from '@turnout/contracts/explanation';
import { createFront, plainAddress } from '@turnout/proxy';
import type { Ledger, VisitorId } from '@turnout/router-core';
import { createEdge, type Edge } from './edge.ts';
import { openSpooledLog } from './events/event-log.ts';
import { explain } from './explain.ts';
import { createRequestHandler } from './handle-request.ts';
import { createUpgradeHandler } from './handle-upgrade.ts';
import { openLedger } from './ledger.ts';
import { logUnwritten } from './ledger-outages.ts';
import type { SnapshotHead } from './live.ts';
import type { Logger } from './log.ts';
import { watchSpool, type MetricSnapshot } from './metrics.ts';

/** How often visitors are handed to the shared counter, in ms. */
const TALLY_EVERY = 1_000;
/** How long a scrape waits for the visitors seen last to be counted, in ms. */
const TALLY_WAIT = 200;
/** A ledger that does not answer by then is left to come up behind the visitors' backs, in ms. */
const LEDGER_WAIT = 2_000;

export interface WorkerOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly cookieSecrets: readonly string[];
  readonly log: Logger;
  /** Whether a ledger that can't be opened is a reason not to serve. */
  readonly needsLedger: boolean;
}

/** A worker that can accept connections. */
export interface OpenWorker {
  /** Compiles some of the snapshot to come, between requests. */
  prepare(texts: readonly string[]): Promise<void>;
  /** Decides by this snapshot from then on. False: it goes on as before, and the log says why. */
  adopt(snapshot: SnapshotHead): Promise<boolean>;
  /** Accepts connections. Resolves with the port. @throws {Error} when it can't be listened on */
  listen(): Promise<number>;
  /** Asks the ledger anew about a visitor. */
  forget(visitor: VisitorId): void;
  counts(): Promise<MetricSnapshot>;
  /** Where a request would go, and why. */
  explain(question: ExplainRequest): Promise<Explanation>;
  /** Ends once every request under way has, or the drain time is over; keeps all that was counted. */
  drain(): Promise<void>;
}

/**
 * Opens all that a worker needs but for the public port.
 *
 * @throws {Error} when the ledger is needed and can't be opened, or the configuration can't be compiled
 */
export async function openWorker(options: WorkerOptions): Promise<OpenWorker> {
  const { config, cookieSecrets, log } = options;
  const ledger = config.experiments !== undefined ? openLedgerFor(options) : undefined;
  if (ledger !== undefined && !(await ledger.ready(LEDGER_WAIT))) {
    log.warn({ waited: LEDGER_WAIT }, 'the ledger does not answer yet: routing by cookie and hash');
  }
  const events =
    config.experiments !== undefined
      ? openSpooledLog(config, options.dataDir, options.needsLedger, log)
      : undefined;
  const edge = createEdge({ config, cookieSecrets, ledger, events, log, now: Date.now });
  if (events !== undefined) watchSpool(edge.metrics.registry, events);
  const server = createFront({
    onRequest: createRequestHandler(edge),
    onUpgrade: createUpgradeHandler(edge),
    onRefused({ status, reason, socket }) {
      edge.metrics.ownResponses.inc({ code: `${Math.floor(status / 100)}xx` });
      const remote = plainAddress(socket.remoteAddress ?? '');
      log.info({ remote, status, reason }, 'refused');
    },
  });
  const tallying = setInterval(() => void edge.testing?.tally.flush(), TALLY_EVERY);

  return {
    prepare: async (texts) => edge.testing?.prepare(texts),
    async adopt(next) {
      try {
        await edge.testing?.adopt(next);
        return true;
      } catch (error) {
        log.error({ err: error, revision: next.revision }, 'a snapshot can not be used');
        return false;
      }
    },
    async listen() {
      server.listen(config.public.port, config.public.address);
      await once(server, 'listening');
      return portOf(server);
    },
    forget: (visitor) => edge.testing?.assigner.forget(visitor),
    explain: (question) => explain(edge, ledger, question),
    async counts() {
      // So that a scrape counts whom it has just seen; but a slow store holds up no scrape.
      const patience = new Promise((resolve) => setTimeout(resolve, TALLY_WAIT));
      await Promise.race([edge.testing?.tally.flush(), patience]);
      return edge.metrics.registry.getMetricsAsJSON();
    },
    async drain() {
      edge.draining = true;
      clearInterval(tallying);
      await closeServer(server, edge, config.drain);
      await edge.testing?.tracking.flush();
      await events?.close();
      await edge.testing?.tally.flush();
      await edge.testing?.assigner.close();
      if (edge.testing !== undefined) logUnwritten(log, edge.testing.assigner.status());
      await ledger?.close();
      await Promise.all([...edge.destinations.values()].map(({ upstream }) => upstream.destroy()));
    },
  };
}

function openLedgerFor({ config, dataDir, log, needsLedger }: WorkerOptions): Ledger | undefined {
  try {
    return openLedger(config, dataDir);
  } catch (error) {
    if (needsLedger) throw error;
    log.error({ err: error }, 'the ledger cannot be opened: routing by cookie and hash');
    return undefined;
  }
}

async function closeServer(server: Server, edge: Edge, patience: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // A tunnel has no end of its own to wait for; its client reconnects to another edge.
  edge.upgrader.closeAll();
  const cut = setTimeout(() => server.closeAllConnections(), patience);
  await closed;
  clearTimeout(cut);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('Expected the public server to listen on a TCP port');
}
