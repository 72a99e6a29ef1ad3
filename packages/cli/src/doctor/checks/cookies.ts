import { createVisitorCookie } from '@turnout/router-core';
import { parseSetCookie, type SetCookie } from 'cookie';
import { error, ok, some, warning, type Finding } from '../finding.ts';
import { placeOfVisit, type Survey } from '../survey.ts';

/** Names that the edge sets itself. */
const OURS: ReadonlySet<string> = new Set(['turnout', '__Host-turnout', 'turnout-preview']);

/** Bytes of name and value that browsers keep of one cookie (RFC 6265bis, 5.6). */
const COOKIE_LIMIT = 4_096;
/** Bytes of a header line, or of a whole head, that servers refuse: the least known, and the usual. */
const CAUTIOUS_LIMIT = 4_096;
const USUAL_LIMIT = 8_192;

interface SeenCookie {
  readonly cookie: SetCookie;
  readonly upstream: string;
  /** The page that set it. */
  readonly where: string;
  /** `name=value`, in bytes. */
  readonly size: number;
}

/** Whether the upstreams' cookies live in one browser without harm. */
export function checkCookies(survey: Survey): Finding[] {
  if (survey.visits.every(({ hops }) => hops.length === 0)) return [];
  const seen = cookiesOf(survey);
  const byName = Map.groupBy(seen, ({ cookie }) => cookie.name);
  const hostname = survey.site.origin.hostname;
  const findings = [...byName].flatMap(([name, all]) => [
    ...nameFindings(name, all),
    ...domainFindings(all, hostname),
    ...sizeFindings(all),
  ]);
  const largest = [...byName.values()].map((all) => Math.max(...all.map(({ size }) => size)));
  const total = headerSize([...largest, visitorCookieSize(survey)]);
  const told = `${byName.size} set (${some([...byName.keys()], 8) || 'none'}), ${total} bytes with the visitor cookie at its largest`;
  if (total <= CAUTIOUS_LIMIT) return [...findings, ok('cookies', told)];
  const tooLarge = {
    where: 'cookies',
    expected: `a Cookie header of at most ${CAUTIOUS_LIMIT} bytes`,
    got: told,
    fix: `Keep on the server what they hold: servers refuse headers of more than ${USUAL_LIMIT} bytes, some of more than ${CAUTIOUS_LIMIT}`,
  };
  return [...findings, total > USUAL_LIMIT ? error(tooLarge) : warning(tooLarge)];
}

/** Each upstream's cookies, the largest of each name. */
function cookiesOf({ visits }: Survey): SeenCookie[] {
  const seen = new Map<string, SeenCookie>();
  for (const visit of visits) {
    for (const header of visit.hops.flatMap(({ answer }) => answer.headers['set-cookie'] ?? [])) {
      const cookie = parseSetCookie(header, { decode: (value) => value });
      const size = Buffer.byteLength(`${cookie.name}=${cookie.value ?? ''}`);
      const upstream = visit.upstream.name;
      const key = `${upstream} ${cookie.name}`;
      if (size <= (seen.get(key)?.size ?? -1)) continue;
      seen.set(key, { cookie, upstream, where: placeOfVisit(visit), size });
    }
  }
  return [...seen.values()];
}

function nameFindings(name: string, all: readonly SeenCookie[]): Finding[] {
  const where = some(all.map((cookie) => cookie.where));
  if (OURS.has(name)) {
    return [
      error({
        where,
        expected: 'names other than those of the edge',
        got: `a cookie ${name}`,
        fix: 'Give it another name: it would take the place of the visitor cookie',
      }),
    ];
  }
  if (all.length < 2) return [];
  const told = {
    where,
    expected: 'cookies with names of their own',
    got: `${name} from ${all.map(({ upstream }) => upstream).join(' and ')}`,
    fix: 'Rename it in all but one, unless they share what it means: each overwrites that of the others',
  };
  // What scripts can't read is a session or a token: its server alone knows what it means.
  return [all.some(({ cookie }) => cookie.httpOnly === true) ? error(told) : warning(told)];
}

function domainFindings(all: readonly SeenCookie[], hostname: string): Finding[] {
  return all.flatMap(({ cookie, where }) => {
    const domain = cookie.domain?.replace(/^\./, '').toLowerCase();
    if (domain === undefined || domain === '' || domain === hostname) return [];
    const got = `Domain=${cookie.domain} for ${cookie.name}`;
    if (!hostname.endsWith(`.${domain}`)) {
      return [
        error({
          where,
          expected: `cookies for ${hostname}`,
          got,
          fix: 'Leave Domain out: browsers refuse a cookie for a host that they are not at',
        }),
      ];
    }
    return [
      warning({
        where,
        expected: `cookies for ${hostname} alone`,
        got,
        fix: `Leave Domain out, unless other hosts of ${domain} need it: all of them get it, and can overwrite it`,
      }),
    ];
  });
}

function sizeFindings(all: readonly SeenCookie[]): Finding[] {
  return all
    .filter(({ size }) => size > COOKIE_LIMIT)
    .map(({ cookie, where, size }) =>
      error({
        where,
        expected: `cookies of at most ${COOKIE_LIMIT} bytes`,
        got: `${cookie.name} with ${size} bytes`,
        fix: 'Keep on the server what it holds: browsers drop a larger one without a word',
      }),
    );
}

/** Bytes of our cookie for a visitor of all experiments, in their longest variants. */
function visitorCookieSize({ experiments, site }: Survey): number {
  if (experiments.length === 0) return 0;
  const cookies = createVisitorCookie({
    secrets: ['only-to-measure-one'],
    secure: site.origin.protocol === 'https:',
  });
  const mirror = experiments.map(({ document: { key, phase, variants } }) => ({
    experiment: key,
    variant: variants
      .map((variant) => variant.key)
      .reduce((longest, other) => (other.length > longest.length ? other : longest)),
    phase,
  }));
  const [pair = ''] = cookies.serialise(cookies.mint(), mirror).split(';', 1);
  return pair.length;
}

/** As browsers send them: `a=1; b=2`. */
function headerSize(sizes: readonly number[]): number {
  const held = sizes.filter((size) => size > 0);
  return held.reduce((sum, size) => sum + size, 0) + 2 * Math.max(held.length - 1, 0);
}
