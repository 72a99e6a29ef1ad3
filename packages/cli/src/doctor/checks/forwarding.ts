import { error, ok, warning, type Finding } from '../finding.ts';
import { readPage } from '../page-document.ts';
import type { PublicSite } from '../public-site.ts';
import { placeOfVisit, type Survey, type Visit } from '../survey.ts';
import type { UpstreamClient } from '../upstream-client.ts';

/** A name that nobody can own (RFC 6761). */
const FOREIGN_HOST = 'turnout-doctor.invalid';

/** Whether upstreams know, by the forwarded headers, how visitors reach them. */
export async function checkForwarding(survey: Survey): Promise<Finding[]> {
  const { visits, site } = survey;
  const upstreams = [...new Set(visits.map(({ upstream }) => upstream))];
  const probed = await Promise.all(
    upstreams.map(async (upstream) => [
      ...(await underTls(upstream, site)),
      ...(await foreignHost(upstream, site)),
    ]),
  );
  const redirected = visits.flatMap((visit) => redirectFindings(visit, site));
  const isFine = redirected.length === 0 && visits.some(({ hops }) => hops.length > 0);
  return [
    ...(isFine ? [ok('redirects', 'none leads to an inner address, or round in a circle')] : []),
    ...redirected,
    ...probed.flat(),
  ];
}

function redirectFindings(visit: Visit, site: PublicSite): Finding[] {
  const where = placeOfVisit(visit);
  return visit.hops.flatMap((hop, index) => {
    const { location, url } = hop;
    if (location === undefined) return [];
    const got = `${hop.answer.status} to ${location.href}`;
    const expected = `redirects to paths, or to ${site.origin.origin}`;
    if (location.origin === visit.upstream.origin && site.placeOf(location) === 'inner') {
      return [
        warning({
          where,
          expected,
          got,
          fix: 'Let it trust X-Forwarded-Host: the edge mends this redirect, but no address in a page or a mail',
        }),
      ];
    }
    if (site.placeOf(location) === 'inner') {
      return [
        error({
          where,
          expected,
          got,
          fix: 'Let it trust X-Forwarded-Host, or correct its own setting',
        }),
      ];
    }
    if (changesScheme(location, url)) return [schemeLoop(where, url, got)];
    if (url.protocol === 'https:' && location.protocol === 'http:') {
      return [
        warning({
          where,
          expected: 'redirects that stay under https',
          got,
          fix: 'Let it trust X-Forwarded-Proto, or redirect to a path',
        }),
      ];
    }
    const earlier = visit.hops.slice(0, index + 1).map((other) => other.url.href);
    if (!earlier.includes(location.href)) return [];
    return [
      error({
        where,
        expected: 'redirects that end',
        got: `${got}, where the visitor came from`,
        fix: 'Look for two rules that disagree, such as on a trailing slash',
      }),
    ];
  });
}

function schemeLoop(where: string, url: URL, got: string): Finding {
  const isSecure = url.protocol === 'https:';
  return error({
    where,
    expected: `the page at ${url.href}`,
    got: `${got}, for ever`,
    fix: isSecure
      ? 'Let it trust X-Forwarded-Proto, which says https although the edge talks http to it'
      : 'Say https://… in public.url if visitors come by https; else let it not insist on https',
  });
}

/** Before there is TLS in front: what would happen then. */
async function underTls(upstream: UpstreamClient, site: PublicSite): Promise<Finding[]> {
  if (site.origin.protocol === 'https:') return [];
  const url = new URL(site.origin);
  const answer = await upstream.get('/', { host: url.host, proto: 'https', accept: 'page' });
  if (answer.kind === 'failure' || answer.status < 300 || answer.status > 399) return [];
  const location = URL.parse(answer.headers.location ?? '', `https://${url.host}/`);
  if (location === null || !changesScheme(location, new URL(`https://${url.host}/`))) return [];
  return [
    warning({
      where: `${upstream.name} /`,
      expected: 'the page, with X-Forwarded-Proto: https',
      got: `${answer.status} to ${location.href}, for ever once there is TLS in front`,
      fix: 'Let it trust X-Forwarded-Proto',
    }),
  ];
}

/** Who repeats any Host can be made to send visitors elsewhere, through a cache or a mail. */
async function foreignHost(upstream: UpstreamClient, site: PublicSite): Promise<Finding[]> {
  const proto = site.origin.protocol === 'https:' ? 'https' : 'http';
  const answer = await upstream.get('/', { host: FOREIGN_HOST, proto, accept: 'page' });
  if (answer.kind === 'failure') return [];
  const address = new URL(`${proto}://${FOREIGN_HOST}/`);
  // Resolved elsewhere, so that a path is not taken for the foreign host's.
  const location = URL.parse(answer.headers.location ?? '', 'http://path.invalid/');
  const isEchoed =
    location?.hostname === FOREIGN_HOST ||
    (answer.body.includes(FOREIGN_HOST) && repeats(answer.body, address));
  if (!isEchoed) return [];
  const where = `${upstream.name} /`;
  if (!site.allowsAnyHost) {
    return [
      ok(
        where,
        'repeats any Host: public.hosts keeps foreign ones out, so let its port be reached through the edge alone',
      ),
    ];
  }
  return [
    error({
      where,
      expected: 'addresses that no Host header can change',
      got: `addresses at ${FOREIGN_HOST}, which was sent as Host`,
      fix: 'List the names of the site in public.hosts instead of "*"',
    }),
  ];
}

/** Whether an absolute address in the page has the host; relative ones don't count. */
function repeats(html: string, address: URL): boolean {
  const { references } = readPage(html, new URL('http://path.invalid/'));
  return references.some(({ url }) => url.hostname === address.hostname);
}

/** The same address but for the scheme, and the port that goes with it. */
function changesScheme(location: URL, url: URL): boolean {
  return (
    location.protocol !== url.protocol &&
    location.hostname === url.hostname &&
    location.pathname === url.pathname &&
    location.search === url.search
  );
}
