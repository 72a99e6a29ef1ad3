import { error, ok, some, warning, type Finding } from '../finding.ts';
import { placeOfVisit, type Survey, type Visit } from '../survey.ts';

/** What tells a CDN to keep a page, past Cache-Control. The edge passes these on. */
const CDN_HEADERS = ['cdn-cache-control', 'surrogate-control', 'cloudflare-cdn-cache-control'];

/** Whether a cache between visitors and edge could give one visitor's variant to another. */
export function checkCaching(survey: Survey): Finding[] {
  const pages = survey.visits.filter(
    ({ page, last }) => last !== undefined && survey.destinationOf(page).kind === 'experiment',
  );
  const shared = Map.groupBy(pages.filter(isShared), ({ upstream }) => upstream.name);
  const findings = [
    ...pages.flatMap(cdnFindings),
    ...[...shared].map(([upstream, visits]) => sharedFinding(upstream, visits)),
  ];
  if (findings.length > 0 || pages.length === 0) return findings;
  return [ok('pages', 'no page of an experiment is sent for shared caches')];
}

/** Cacheable by all (RFC 9111, section 3), and not told apart by the cookie. */
function isShared({ last }: Visit): boolean {
  const control = last?.headers['cache-control'] ?? '';
  if (/\b(private|no-store)\b/i.test(control) || /\bcookie\b/i.test(last?.headers.vary ?? '')) {
    return false;
  }
  return /\b(public|s-maxage)\b/i.test(control);
}

function sharedFinding(upstream: string, visits: readonly Visit[]): Finding {
  const values = new Set(visits.map(({ last }) => last?.headers['cache-control'] ?? ''));
  return warning({
    where: some(visits.map(placeOfVisit)),
    expected: 'pages that are private, as they depend on the visitor',
    got: `Cache-Control: ${some([...values])}`,
    fix:
      `The edge sends them as private. A CDN in front must go by that: no rule that caches pages ` +
      `whatever the origin says, none that ignores cookies; or let ${upstream} send private itself`,
  });
}

function cdnFindings(visit: Visit): Finding[] {
  return CDN_HEADERS.flatMap((name) => {
    const value = visit.last?.headers[name];
    if (value === undefined || /\b(private|no-store)\b/i.test(String(value))) return [];
    return [
      error({
        where: placeOfVisit(visit),
        expected: `no ${name} on a page of an experiment`,
        got: `${name}: ${String(value)}`,
        fix: 'Take it out: a CDN obeys it before Cache-Control, and would give one variant to all',
      }),
    ];
  });
}
