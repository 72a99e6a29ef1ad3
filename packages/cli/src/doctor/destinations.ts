import type { Config, ExperimentDocument } from '@turnout/contracts';
import {
  byPriority,
  compileExperiment,
  createRequestTraits,
  createRouteTable,
  type RequestTraits,
} from '@turnout/router-core';

/** Who answers an address, as the edge would decide it. */
export type Destination =
  | { readonly kind: 'route'; readonly upstream: string }
  /** The visitor's variant decides. */
  | {
      readonly kind: 'experiment';
      readonly experiment: string;
      /** Upstreams of those variants that are served; each once. */
      readonly upstreams: readonly string[];
      /** What gets those who keep no cookie. */
      readonly control: string;
    }
  | { readonly kind: 'default'; readonly upstream: string };

/** An experiment's document beside what router-core makes of it. */
export interface CheckedExperiment {
  readonly document: ExperimentDocument;
  inScope(traits: RequestTraits): boolean;
}

export function compileExperiments({ experiments = [] }: Config): CheckedExperiment[] {
  const kept = experiments.filter(({ status }) => status !== 'archived');
  return byPriority(kept).map((document) => {
    const experiment = compileExperiment(document);
    return { document, inScope: (traits) => experiment.inScope(traits) };
  });
}

/** What a plain request of an address tells, with no cookie. */
function plainRequest(path: string, host: string): RequestTraits {
  return createRequestTraits({
    method: 'GET',
    target: path,
    host,
    header: (name) => (name === 'accept' ? 'text/html' : undefined),
  });
}

/**
 * Makes the function that says who answers an address. Drafts count: a check before launch
 * is about what will be launched.
 */
export function createDestinations(
  config: Config,
  experiments: readonly CheckedExperiment[],
): (url: URL) => Destination {
  const routes = createRouteTable(config.routes);
  return (url) => {
    const request = plainRequest(url.pathname, url.host);
    const owner = routes.match(request);
    if (owner !== undefined) return { kind: 'route', upstream: owner };
    const found = experiments.find((experiment) => experiment.inScope(request));
    if (found === undefined) return { kind: 'default', upstream: config.default };
    const upstreams = servedUpstreams(found.document);
    return {
      kind: 'experiment',
      experiment: found.document.key,
      upstreams,
      control: controlOf(found.document, upstreams),
    };
  };
}

/** Every upstream that may answer. */
export function upstreamsOf(destination: Destination): readonly string[] {
  return destination.kind === 'experiment' ? destination.upstreams : [destination.upstream];
}

/** A concluded experiment's losers may be switched off by now. */
function servedUpstreams({ status, variants, winner }: ExperimentDocument): string[] {
  const served = variants.filter(({ key }) => status !== 'concluded' || key === winner);
  return [...new Set(served.map(({ upstream }) => upstream))];
}

function controlOf({ variants }: ExperimentDocument, served: readonly string[]): string {
  const control = variants.find((variant) => variant.control)?.upstream ?? '';
  return served.includes(control) ? control : (served[0] ?? control);
}
