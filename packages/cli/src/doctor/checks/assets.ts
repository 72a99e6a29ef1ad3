import { upstreamsOf, type Destination } from '../destinations.ts';
import { error, ok, some, warning, type Finding } from '../finding.ts';
import { filesOfStyles, getFile, isServed, ownFiles } from '../page-files.ts';
import { placeOfVisit, type Survey, type Visit } from '../survey.ts';
import type { UpstreamClient } from '../upstream-client.ts';

/** A file of a page that would be fetched from an upstream that does not have it. */
interface Clash {
  readonly visit: Visit;
  readonly url: URL;
  readonly destination: Destination;
  /** The upstream that answers instead. */
  readonly instead: string;
  readonly got: string;
}

/** Whether what each variant's pages load comes from that variant's own upstream. */
export async function checkAssets(survey: Survey): Promise<Finding[]> {
  const read = survey.visits.filter(({ document }) => document !== undefined);
  const files = await Promise.all(
    read.map(async (visit) => ({
      visit,
      urls: [
        ...ownFiles(visit, survey, ['asset', 'script', 'style']),
        ...(await filesOfStyles(visit, survey)),
      ],
    })),
  );
  const found = await Promise.all(
    files.flatMap(({ visit, urls }) => urls.map((url) => clashOf(visit, url, survey))),
  );
  const clashes = found.filter((clash) => clash !== undefined);
  const groups = Map.groupBy(
    clashes,
    ({ visit, url, instead, destination }) =>
      `${visit.upstream.name} ${prefixOf(url)} ${instead} ${destination.kind}`,
  );
  const users = prefixUsers(files);
  const findings = [...groups.values()].flatMap((group) => clashFinding(group, users));
  const count = new Set(files.flatMap(({ urls }) => urls.map(({ pathname }) => pathname))).size;
  if (findings.length > 0 || count === 0) return findings;
  return [ok('pages', `${count} files, each from the upstream whose page names it`)];
}

async function clashOf(visit: Visit, url: URL, survey: Survey): Promise<Clash | undefined> {
  const own = visit.upstream.name;
  const destination = survey.destinationOf(url);
  // With a cookie, a visitor's files come from where the page came from.
  const isOwn =
    destination.kind !== 'experiment' && upstreamsOf(destination).every((name) => name === own);
  if (isOwn) return undefined;
  const others =
    destination.kind === 'experiment' && destination.upstreams.includes(own)
      ? [destination.control]
      : upstreamsOf(destination);
  for (const name of others) {
    const other = survey.upstreams.get(name);
    if (other === undefined || name === own) continue;
    const got = await differenceOf(visit.upstream, other, url);
    if (got !== undefined) return { visit, url, destination, instead: name, got };
  }
  return undefined;
}

/** What is wrong with having a file from another upstream; undefined if nothing is. */
async function differenceOf(
  own: UpstreamClient,
  other: UpstreamClient,
  url: URL,
): Promise<string | undefined> {
  const [mine, theirs] = await Promise.all([getFile(own, url), getFile(other, url)]);
  // Neither has it: a broken link of the page, whatever the routes.
  if (!isServed(mine)) return undefined;
  const status = theirs.kind === 'failure' ? 'no answer' : `status ${theirs.status}`;
  if (!isServed(theirs)) return `${status} from ${other.name}`;
  return mine.body === theirs.body ? undefined : `another file from ${other.name}`;
}

/** @param group files of one upstream below one prefix that go to the same other one */
function clashFinding(
  group: readonly Clash[],
  users: ReadonlyMap<string, ReadonlySet<string>>,
): Finding[] {
  const [first] = group;
  if (first === undefined) return [];
  const { visit, url, destination, instead, got } = first;
  const own = visit.upstream.name;
  const paths = [...new Set(group.map((clash) => clash.url.pathname))];
  const where = placeOfVisit(visit);
  const isVisitors = destination.kind === 'experiment' && destination.upstreams.includes(own);
  const trouble = {
    where,
    expected: `${some(paths)} from ${own}`,
    got: isVisitors
      ? `${got} for whoever keeps no cookie, such as crawlers: the experiment ${destination.experiment} decides`
      : `${got}, where ${ROUTED_BY[destination.kind]} ${instead}`,
    fix: fixOf(url, own, users.get(prefixOf(url)) ?? new Set()),
  };
  return [isVisitors ? warning(trouble) : error(trouble)];
}

const ROUTED_BY = {
  route: 'a route sends it:',
  experiment: 'another experiment may send it:',
  default: 'what no route owns goes:',
} as const;

function fixOf(url: URL, own: string, users: ReadonlySet<string>): string {
  const rivals = [...users].filter((name) => name !== own);
  const prefix = prefixOf(url);
  if (rivals.length > 0) {
    return (
      `${some([own, ...rivals])} all have files at ${prefix}: build ${own} with a prefix of its own ` +
      `(assetPrefix in Next.js, base in Vite), and add the route { path: /_mfe/${own}/**, upstream: ${own} }`
    );
  }
  return `Add the route { path: ${prefix}, upstream: ${own} }, before those that match it now`;
}

/** The glob that would take a file and its neighbours: `/assets/**`, or `/logo.svg` itself. */
function prefixOf({ pathname }: URL): string {
  const [, first = '', ...rest] = pathname.split('/');
  return rest.length === 0 ? `/${first}` : `/${first}/**`;
}

/** Which upstreams' pages load files below each prefix. */
function prefixUsers(
  files: readonly { readonly visit: Visit; readonly urls: readonly URL[] }[],
): Map<string, Set<string>> {
  const users = new Map<string, Set<string>>();
  for (const { visit, urls } of files) {
    for (const prefix of urls.map(prefixOf)) {
      const known = users.get(prefix) ?? new Set();
      users.set(prefix, known.add(visit.upstream.name));
    }
  }
  return users;
}
