import type { Config } from '@turnout/contracts';
import {
  compileExperiment,
  compileHosts,
  createAssigner,
  createRouteTable,
  createVisitorCookie,
  type Assigner,
  type Experiment,
  type Ledger,
  type RouteTable,
  type Variant,
  type VisitorCookie,
} from '@turnout/router-core';
import { createUpgrader, createUpstream, type Upgrader, type Upstream } from '@turnout/proxy';
import { logLedgerOutage } from './ledger-outages.ts';
import type { Logger } from './log.ts';
import {
  createWorkerMetrics,
  watchLedger,
  type TrafficLabels,
  type WorkerMetrics,
} from './metrics.ts';
import { VisitorTally } from './visitor-tally.ts';

/** An upstream, and the traffic that a request to it counts as. */
export interface Destination {
  readonly upstream: Upstream;
  readonly traffic: TrafficLabels;
}

/** What experiments need; a plain reverse proxy has none of it. */
export interface Testing {
  /** Those that are no drafts, in the order of the configuration. */
  readonly experiments: readonly Experiment[];
  readonly cookies: VisitorCookie;
  readonly assigner: Assigner;
  readonly tally: VisitorTally;
}

/** Everything that a worker answers requests with. */
export interface Edge {
  readonly routes: RouteTable;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly fallback: Destination;
  readonly testing: Testing | undefined;
  readonly upgrader: Upgrader;
  /** The header that holds the visitor's country, in lower case. */
  readonly countryHeader: string | undefined;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  /** Set for the shutdown: connections end with their response. */
  draining: boolean;
  /** Whether visitors may call us by this name (normalised host). */
  allows(host: string): boolean;
  /** Where those who are assigned to a variant go; counted for it. */
  destinationOf(experiment: string, variant: Variant): Destination;
  /** Where those who are served a variant without being assigned go; counted for none. */
  destinationOutside(experiment: string, variant: Variant): Destination;
}

export interface EdgeParts {
  readonly config: Config;
  readonly cookieSecrets: readonly string[];
  /** Where assignments are kept; without it, cookie and hash decide. */
  readonly ledger: Ledger | undefined;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** @throws {Error} for an experiment or upstream that can't be used */
export function createEdge({ config, cookieSecrets, ledger, log, now }: EdgeParts): Edge {
  const metrics = createWorkerMetrics();
  const destinations = new Map<string, Destination>();
  for (const [name, { url, connections, timeouts }] of Object.entries(config.upstreams)) {
    const upstream = createUpstream({ name, url, connections, timeouts });
    destinations.set(name, { upstream, traffic: trafficOf(name) });
  }
  const destination = (name: string): Destination => {
    const known = destinations.get(name);
    if (known === undefined)
      throw new Error(`Expected an upstream of the configuration, got "${name}"`);
    return known;
  };
  const { hosts } = config.public;
  const isAnyHost = hosts.includes('*');
  // By the variant itself, so that the request path builds no keys.
  const assigned = new Map<Variant, Destination>();
  const outside = new Map<Variant, Destination>();
  const remembered = (known: Map<Variant, Destination>, variant: Variant, labels: string[]) => {
    let found = known.get(variant);
    if (found === undefined) {
      const { upstream } = destination(variant.upstream);
      found = { upstream, traffic: trafficOf(upstream.name, ...labels) };
      known.set(variant, found);
    }
    return found;
  };

  return {
    routes: createRouteTable(config.routes),
    destinations,
    fallback: destination(config.default),
    testing:
      config.experiments === undefined || config.experiments.length === 0
        ? undefined
        : createTesting({ config, cookieSecrets, ledger, metrics, log, now }),
    upgrader: createUpgrader({}),
    countryHeader: config.countryHeader,
    metrics,
    log,
    draining: false,
    allows: isAnyHost ? () => true : compileHosts(hosts),
    destinationOf: (experiment, variant) =>
      remembered(assigned, variant, [experiment, variant.key]),
    destinationOutside: (experiment, variant) => remembered(outside, variant, [experiment]),
  };
}

function createTesting(parts: {
  config: Config;
  cookieSecrets: readonly string[];
  ledger: Ledger | undefined;
  metrics: WorkerMetrics;
  log: Logger;
  now: () => number;
}): Testing {
  const { config, cookieSecrets, ledger, metrics, log, now } = parts;
  const assigner: Assigner = createAssigner({
    ...(ledger !== undefined && { store: ledger }),
    deadline: config.ledgerWait,
    onBreaker: (state) => logLedgerOutage(log, state, assigner.status()),
  });
  watchLedger(metrics.registry, assigner);
  return {
    experiments: (config.experiments ?? [])
      .map((experiment) => compileExperiment(experiment))
      .filter(({ status }) => status !== 'draft'),
    cookies: createVisitorCookie({ secrets: cookieSecrets, secure: false }),
    assigner,
    tally: new VisitorTally(ledger?.visitors, now),
  };
}

function trafficOf(upstream: string, experiment = '', variant = ''): TrafficLabels {
  return { upstream, experiment, variant };
}
