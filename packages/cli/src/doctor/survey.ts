import type { Config } from '@turnout/contracts';
import {
  compileExperiments,
  createDestinations,
  upstreamsOf,
  type CheckedExperiment,
  type Destination,
} from './destinations.ts';
import { readPage, type PageDocument } from './page-document.ts';
import { createPublicSite, type PublicSite } from './public-site.ts';
import {
  createUpstreamClient,
  type Answer,
  type Ask,
  type Failure,
  type UpstreamClient,
} from './upstream-client.ts';

/** What all checks look at: the configuration, and the pages as each upstream serves them. */
export interface Survey {
  readonly config: Config;
  /** The data folder. */
  readonly dataDir: string;
  /** Milliseconds for each answer. */
  readonly timeout: number;
  readonly site: PublicSite;
  readonly experiments: readonly CheckedExperiment[];
  readonly upstreams: ReadonlyMap<string, UpstreamClient>;
  /** Public addresses of the pages that were looked at. */
  readonly pages: readonly URL[];
  readonly visits: readonly Visit[];
  destinationOf(url: URL): Destination;
  close(): void;
}

/** One page, asked of one of the upstreams that may answer it. */
export interface Visit {
  readonly upstream: UpstreamClient;
  /** The public address that was asked for. */
  readonly page: URL;
  /** Redirects first, the page last; none if the first one failed. */
  readonly hops: readonly Hop[];
  /** Where it ended; undefined after too many redirects, or one that leads away. */
  readonly last: Answer | undefined;
  /** The public address where it ended. */
  readonly address: URL;
  readonly failure: Failure | undefined;
  /** What `last` holds, if that is a page and no error. */
  readonly document: PageDocument | undefined;
}

interface Hop {
  readonly url: URL;
  readonly answer: Answer;
  /** Where it redirects to, as it says it: before the edge puts the public address in place. */
  readonly location: URL | undefined;
}

export interface SurveyOptions {
  readonly config: Config;
  readonly dataDir: string;
  /** Paths of further pages. */
  readonly paths: readonly string[];
  readonly timeout: number;
  /** Told after each answer. */
  readonly onAnswer?: () => void;
}

/** Redirects that are followed: a trailing slash, a language, and one more. */
const MAX_HOPS = 4;

/** Fetches every page from every upstream that may serve it; upstreams at the same time. */
export async function makeSurvey(options: SurveyOptions): Promise<Survey> {
  const { config, dataDir, paths, timeout, onAnswer } = options;
  const site = createPublicSite(config);
  const experiments = compileExperiments(config);
  const destinationOf = createDestinations(config, experiments);
  const upstreams = new Map(
    Object.entries(config.upstreams).map(([name, { url }]) => [
      name,
      createUpstreamClient({ name, url, timeout, ...(onAnswer !== undefined && { onAnswer }) }),
    ]),
  );
  const pages = pagesOf(experiments, paths, site.origin);
  const visits = await Promise.all(
    pages.flatMap((page) =>
      upstreamsOf(destinationOf(page)).flatMap((name) => {
        const upstream = upstreams.get(name);
        return upstream === undefined ? [] : [visit(upstream, page, site)];
      }),
    ),
  );
  return {
    config,
    dataDir,
    timeout,
    site,
    experiments,
    upstreams,
    pages,
    visits,
    destinationOf,
    close: () => upstreams.forEach((upstream) => upstream.close()),
  };
}

/** How a visitor's browser asks for an address, as the edge passes it on. */
export function askFor(url: URL, accept: Ask['accept']): Ask {
  return { host: url.host, proto: url.protocol === 'https:' ? 'https' : 'http', accept };
}

/** What goes to the upstream for an address. */
export function targetOf({ pathname, search }: URL): string {
  return pathname + search;
}

/** `next /plans`: the upstream, and the page that it was asked for. */
export function placeOfVisit({ upstream, page }: Pick<Visit, 'upstream' | 'page'>): string {
  return `${upstream.name} ${targetOf(page)}`;
}

/** The home page, the paths that were named, and what stands in experiments' scopes. */
function pagesOf(
  experiments: readonly CheckedExperiment[],
  paths: readonly string[],
  origin: URL,
): URL[] {
  const inScopes = experiments.flatMap(({ document: { scope } }) => {
    const [host] = scope.hosts;
    const address = new URL(origin);
    if (host !== undefined) address.hostname = host.replace(/^\*\./, 'www.');
    return scope.paths.flatMap((glob) => {
      const path = literalPath(glob);
      return path === undefined ? [] : [new URL(path, address)];
    });
  });
  const pages = [new URL('/', origin), ...inScopes, ...paths.map((path) => new URL(path, origin))];
  return [...new Map(pages.map((page) => [page.href, page])).values()];
}

/** The page that a glob surely means: `/plans` for `/plans/**`; undefined for one with a wildcard before its end. */
function literalPath(glob: string): string | undefined {
  const folder = glob.replace(/\/\*\*$/, '') || '/';
  return folder.includes('*') ? undefined : folder;
}

async function visit(upstream: UpstreamClient, page: URL, site: PublicSite): Promise<Visit> {
  const hops: Hop[] = [];
  const end = (
    url: URL,
    rest: Partial<Pick<Visit, 'last' | 'failure' | 'document'>> = {},
  ): Visit => ({
    upstream,
    page,
    hops,
    address: url,
    last: undefined,
    failure: undefined,
    document: undefined,
    ...rest,
  });
  for (let url = page; ;) {
    const answer = await upstream.get(targetOf(url), askFor(url, 'page'));
    if (answer.kind === 'failure') return end(url, { failure: answer });
    const location = locationOf(answer, url);
    hops.push({ url, answer, location });
    if (location === undefined) {
      const isPage = answer.status < 300 && /\bx?html\b/.test(answer.headers['content-type'] ?? '');
      return end(url, {
        last: answer,
        ...(isPage && { document: readPage(answer.body, url) }),
      });
    }
    const next = publicAddress(location, url, upstream, site);
    if (next === undefined || hops.length > MAX_HOPS) return end(url);
    if (hops.some((hop) => hop.url.href === next.href)) return end(url);
    url = next;
  }
}

function locationOf({ status, headers }: Answer, url: URL): URL | undefined {
  if (status < 300 || status > 399 || headers.location === undefined) return undefined;
  return URL.parse(headers.location, url.href) ?? undefined;
}

/**
 * Where the visitor's browser goes from `url`: the edge puts the public origin in place of the
 * upstream's, and what stands in front of it puts its own scheme in place of another.
 */
function publicAddress(
  location: URL,
  url: URL,
  { origin }: UpstreamClient,
  site: PublicSite,
): URL | undefined {
  const isPublic = site.placeOf(location) === 'public';
  if (location.origin === origin || (isPublic && location.hostname === url.hostname)) {
    return new URL(targetOf(location), url.origin);
  }
  return isPublic ? location : undefined;
}
