import { error, ok, some, warning, type Finding } from '../finding.ts';
import type { Reference } from '../page-document.ts';
import type { PublicSite } from '../public-site.ts';
import { placeOfVisit, type Survey, type Visit } from '../survey.ts';

/** Whether pages name themselves, and all they link to, by the public address. */
export function checkLinks({ visits, site, pages }: Survey): Finding[] {
  const read = visits.filter(({ document }) => document !== undefined);
  const findings: Finding[] = [
    ...pages.flatMap((page) => agreement(read.filter((visit) => visit.page === page))),
    ...read.flatMap((visit) => [
      ...canonicalFindings(visit, site),
      ...innerFindings(visit, site),
      ...plainFindings(visit, site),
    ]),
  ];
  if (findings.length > 0 || read.length === 0) return findings;
  return [ok('pages', `${read.length} read, all links and canonical addresses are public`)];
}

/** Search engines see one variant or another: all must name the same address. */
function agreement(visits: readonly Visit[]): Finding[] {
  const named = visits.map((visit) => ({ visit, canonical: canonicalsOf(visit)[0]?.url.href }));
  const [first] = named;
  const different = new Set(named.map(({ canonical }) => canonical));
  if (first === undefined || different.size === 1) return [];
  const each = named.map(
    ({ visit, canonical }) => `${visit.upstream.name}: ${canonical ?? 'none'}`,
  );
  const disagreement = {
    where: first.visit.page.pathname,
    expected: 'one canonical link in all variants',
    got: some(each, 8),
    fix: 'Give every variant the same <link rel="canonical">, made from the public address',
  };
  // Without one, an address stands for itself: most likely what the others say of it.
  const isMissing = different.size === 2 && different.has(undefined);
  return [isMissing ? warning(disagreement) : error(disagreement)];
}

function canonicalFindings(visit: Visit, site: PublicSite): Finding[] {
  const canonicals = canonicalsOf(visit);
  const where = placeOfVisit(visit);
  const findings: Finding[] = [];
  if (new Set(canonicals.map(({ url }) => url.href)).size > 1) {
    findings.push(
      warning({
        where,
        expected: 'one canonical link',
        got: some(canonicals.map(({ url }) => url.href)),
        fix: 'Leave one: search engines ignore all of several',
      }),
    );
  }
  const [canonical] = canonicals;
  if (canonical === undefined) return findings;
  const { url } = canonical;
  const expected = `a canonical link to ${visit.address.origin}${visit.address.pathname}`;
  const got = url.href;
  if (!isSameSite(url, visit.address, site)) {
    findings.push(
      error({
        where,
        expected,
        got,
        fix: site.isStated
          ? 'Make it from X-Forwarded-Host and X-Forwarded-Proto, or from a setting with the public address'
          : 'Make it from X-Forwarded-Host, or say in public.url what visitors type, if that is another address',
      }),
    );
  } else if (url.pathname !== visit.address.pathname) {
    findings.push(
      warning({
        where,
        expected,
        got,
        fix: 'Leave it if the page is meant to be found under the other address; else correct it',
      }),
    );
  }
  return findings;
}

/** Without `public.url` the scheme and the port in front are not known. */
function isSameSite(url: URL, address: URL, site: PublicSite): boolean {
  return site.isStated ? url.origin === address.origin : site.placeOf(url) === 'public';
}

/** Addresses that work on our network alone. */
function innerFindings(visit: Visit, site: PublicSite): Finding[] {
  const inner = referencesOf(visit).filter(
    ({ kind, url }) => kind !== 'canonical' && site.placeOf(url) === 'inner',
  );
  if (inner.length === 0) return [];
  return [
    error({
      where: placeOfVisit(visit),
      expected: `paths, or addresses at ${site.origin.origin}`,
      got: told(inner),
      fix: 'Write paths; or make addresses from X-Forwarded-Host: visitors can reach no inner host or port',
    }),
  ];
}

/** Under https, browsers refuse to load what comes over http, and links lose a redirect. */
function plainFindings(visit: Visit, site: PublicSite): Finding[] {
  if (visit.address.protocol !== 'https:') return [];
  const plain = referencesOf(visit).filter(({ url }) => url.protocol === 'http:');
  const loaded = plain.filter(
    ({ kind, url }) => /^(asset|script|style)$/.test(kind) && site.placeOf(url) !== 'inner',
  );
  const links = plain.filter(
    ({ kind, url }) => kind === 'address' && site.placeOf(url) === 'public',
  );
  const where = placeOfVisit(visit);
  const fix = 'Write paths; or trust X-Forwarded-Proto, which says https';
  return [
    ...(loaded.length === 0
      ? []
      : [error({ where, expected: 'assets over https', got: told(loaded), fix })]),
    ...(links.length === 0
      ? []
      : [warning({ where, expected: 'links over https', got: told(links), fix })]),
  ];
}

function canonicalsOf(visit: Visit): Reference[] {
  return referencesOf(visit).filter(({ kind }) => kind === 'canonical');
}

function referencesOf({ document }: Visit): readonly Reference[] {
  return document?.references ?? [];
}

function told(references: readonly Reference[]): string {
  const texts = references.map(({ at, url }) => `${url.href} (${at})`);
  return some([...new Set(texts)]);
}
