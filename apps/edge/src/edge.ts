import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '@turnout/contracts';
import {
  compileHosts,
  createAssigner,
  createRouteTable,
  createVisitorCookie,
  type Assigner,
  type Ledger,
  type RequestTraits,
  type RouteTable,
  type VisitorCookie,
} from '@turnout/router-core';
import {
  createClientOf,
  createUpgrader,
  createUpstream,
  type ClientOf,
  type Upgrader,
} from '@turnout/proxy';
import type { EventLog } from '@turnout/event-log';
import { createConsent } from './consent.ts';
import type { Destination } from './destination.ts';
import { createRequestIds, type RequestIds } from './events/request-ids.ts';
import { Tracking } from './events/tracking.ts';
import { VisitorRate } from './events/visitor-rate.ts';
import { logLedgerOutage } from './ledger-outages.ts';
import { LiveCompiler, compileLive, type Live, type SnapshotHead } from './live.ts';
import type { Logger } from './log.ts';
import { createWorkerMetrics, watchLedger, type WorkerMetrics } from './metrics.ts';
import { createPreviews, type Previews } from './previews.ts';
import { VisitorTally } from './visitor-tally.ts';

/** What experiments need; a plain reverse proxy has none of it. */
export interface Testing {
  /** Replaced as a whole when a snapshot is taken; see `Live`. */
  readonly live: Live;
  /** @param secure whether the visitor came by https */
  readonly cookies: (secure: boolean) => VisitorCookie;
  readonly previews: Previews;
  readonly assigner: Assigner;
  readonly tally: VisitorTally;
  readonly tracking: Tracking;
  readonly requestIds: RequestIds;
  readonly rate: VisitorRate;
  /** Whether the visitor may be told apart from others. */
  readonly consents: (request: RequestTraits) => boolean;
  /** Compiles some of the snapshot to come, as JSON, between requests. */
  prepare(texts: readonly string[]): Promise<void>;
  /**
   * Decides by this snapshot from then on, in one step. All that it names was there before, or
   * was prepared.
   *
   * @throws {Error} for a snapshot that can't be used; the present one stays
   */
  adopt(snapshot: SnapshotHead): Promise<void>;
}

/** Everything that a worker answers requests with. */
export interface Edge {
  readonly routes: RouteTable;
  /** As they are written down. */
  readonly routeDefinitions: Config['routes'];
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly fallback: Destination;
  readonly testing: Testing | undefined;
  readonly upgrader: Upgrader;
  /** Who sent a request. */
  readonly clientOf: ClientOf;
  /** What we call ourselves in `Via`. */
  readonly pseudonym: string;
  /** Whether visitors come by https, however the last hop comes to us. */
  readonly isSecure: boolean;
  /** The header that holds the visitor's country, in lower case. */
  readonly countryHeader: string | undefined;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Set for the shutdown: connections end with their response. */
  draining: boolean;
  /** The name that a question without one is about. */
  readonly namedFirst: string;
  /** Whether visitors may call us by this name (normalised host). */
  allows(host: string): boolean;
}

export interface EdgeParts {
  readonly config: Config;
  readonly cookieSecrets: readonly string[];
  /** Where assignments are kept; without it, cookie and hash decide. */
  readonly ledger: Ledger | undefined;
  /** Where events go; there unless the edge is a plain reverse proxy. */
  readonly events: EventLog | undefined;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The edge decides by no experiment until it adopts some.
 *
 * @throws {Error} for an upstream that can't be used
 */
export function createEdge(parts: EdgeParts): Edge {
  const { config, log } = parts;
  const metrics = createWorkerMetrics();
  const destinations = new Map<string, Destination>();
  for (const [name, { url, connections, timeouts }] of Object.entries(config.upstreams)) {
    const upstream = createUpstream({ name, url, connections, timeouts });
    const traffic = { upstream: name, experiment: '', variant: '' };
    destinations.set(name, { upstream, traffic });
  }
  const destination = (name: string): Destination => {
    const known = destinations.get(name);
    if (known === undefined)
      throw new Error(`Expected an upstream of the configuration, got "${name}"`);
    return known;
  };
  const { hosts } = config.public;
  const isAnyHost = hosts.includes('*');
  return {
    routes: createRouteTable(config.routes),
    routeDefinitions: config.routes,
    destinations,
    fallback: destination(config.default),
    testing:
      parts.events === undefined
        ? undefined
        : createTesting(parts, parts.events, destinations, metrics),
    upgrader: createUpgrader({}),
    clientOf: createClientOf(config.public.trustedHops),
    pseudonym: pseudonymOf(config),
    isSecure: config.public.url?.startsWith('https:') === true,
    countryHeader: config.countryHeader,
    metrics,
    log,
    now: parts.now,
    draining: false,
    namedFirst: hosts.find((host) => !host.includes('*')) ?? 'localhost',
    allows: isAnyHost ? () => true : compileHosts(hosts),
  };
}

/**
 * The same for all workers of an edge, another for each edge: who comes by here again is in a
 * loop. It tells no upstream what the machine is called.
 */
function pseudonymOf({ node, public: { port } }: Config): string {
  return `turnout-${hash('sha256', `${node ?? hostname()}:${port}`, 'hex').slice(0, 12)}`;
}

function createTesting(
  { config, cookieSecrets, ledger, log, now }: EdgeParts,
  events: EventLog,
  destinations: ReadonlyMap<string, Destination>,
  metrics: WorkerMetrics,
): Testing {
  const assigner: Assigner = createAssigner({
    ...(ledger !== undefined && { store: ledger }),
    deadline: config.ledgerWait,
    onBreaker: (state) => logLedgerOutage(log, state, assigner.status()),
  });
  watchLedger(metrics.registry, assigner);
  const plainCookies = createVisitorCookie({ secrets: cookieSecrets, secure: false });
  const secureCookies = createVisitorCookie({
    secrets: cookieSecrets,
    secure: true,
    takesPlain: true,
  });
  let live = compileLive({ revision: 0, experiments: [] }, destinations);
  let hasAdopted = false;
  const compiler = new LiveCompiler(destinations);
  return {
    get live() {
      return live;
    },
    cookies: (secure) => (secure ? secureCookies : plainCookies),
    previews: createPreviews(cookieSecrets, now),
    assigner,
    tally: new VisitorTally(ledger?.visitors, now),
    tracking: new Tracking({
      log: events,
      node: config.node ?? hostname().slice(0, 64),
      metrics,
      logger: log,
      now,
    }),
    requestIds: createRequestIds(cookieSecrets),
    rate: new VisitorRate(),
    consents: createConsent(config.consent),
    prepare: (texts) => compiler.prepare(texts),
    async adopt(next) {
      const isFirst = !hasAdopted;
      live = await compiler.finish(next);
      hasAdopted = true;
      metrics.snapshotRevision.set(live.revision);
      // What a worker begins with is no change.
      if (isFirst) return;
      metrics.changeEffect.observe(Math.max(0, now() - next.publishedAt) / 1000);
    },
  };
}
