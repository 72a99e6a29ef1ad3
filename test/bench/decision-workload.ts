import type {
  ExperimentDefinition,
  PredicateDefinition,
  RequestSource,
} from '@turnout/router-core';
import type { Random } from './shuffle.ts';

/** Rules of each experiment: paths, hosts and single predicates, counted by `rulesOf`. */
export const RULES = 200;

/**
 * Experiments as a large shop might have them. Each is about an area of its own; every
 * hundredth about all pages, for those who come by its campaign.
 */
export function largeExperiments(count: number): ExperimentDefinition[] {
  return Array.from({ length: count }, (_, at): ExperimentDefinition => {
    const isEverywhere = at % 100 === 99;
    const area = `/area-${at}`;
    const paths = [
      ...series(20, (k) => `${area}/page-${k}`),
      ...series(20, (k) => `${area}/section-${k}/**`),
      ...series(15, (k) => `${area}/*/item-${k}`),
      ...series(4, (k) => `${area}/**/detail-${k}`),
      isEverywhere ? '/**' : area,
    ];
    const hosts = ['shop.example', '*.shop.example', 'm.example'];
    return {
      ...plainExperiment(at, paths),
      scope: {
        paths,
        hosts,
        when: isEverywhere ? named('query', 'campaign', `c-${at}`) : { method: ['GET', 'POST'] },
      },
      audience: audience(),
      forced: [
        ...series(20, (k) => named('header', 'x-qa', `qa-${at}-${k}`)),
        ...series(10, (k) => named('cookie', 'qa', `qa-${at}-${k}`)),
        ...series(10, (k) => named('query', 'variant', `qa-${at}-${k}`)),
      ].map((when, index) => ({ when, variant: index % 2 === 0 ? 'A' : 'control' })),
    };
  });
}

/** The everyday case: some pages, no predicates. */
export function plainExperiments(count: number): ExperimentDefinition[] {
  return Array.from({ length: count }, (_, at) => {
    const area = `/area-${at}`;
    return plainExperiment(at, [area, `${area}/**`]);
  });
}

/** How many rules an experiment has. */
export function rulesOf({ scope, audience: admitted, forced = [] }: ExperimentDefinition): number {
  const predicates = [scope.when, admitted, ...forced.map(({ when }) => when)];
  const singles = predicates.map((one) => (one === undefined ? 0 : singlesOf(one)));
  return singles.reduce((sum, one) => sum + one, scope.paths.length + (scope.hosts?.length ?? 0));
}

function singlesOf(definition: PredicateDefinition): number {
  if ('not' in definition) return singlesOf(definition.not);
  const parts =
    'all' in definition ? definition.all : 'any' in definition ? definition.any : undefined;
  return parts === undefined ? 1 : parts.reduce((sum, part) => sum + singlesOf(part), 0);
}

function plainExperiment(at: number, paths: readonly string[]): ExperimentDefinition {
  return {
    key: `experiment-${at}`,
    status: 'running',
    phase: 1,
    revision: 1,
    scope: { paths },
    ...(at % 5 === 4 && { layer: { name: 'site', slots: [0, 5_000] } }),
    variants: [
      { key: 'control', upstream: 'wordpress', weight: 50, control: true },
      { key: 'A', upstream: 'next', weight: 20 },
      { key: 'B', upstream: 'vue', weight: 30 },
    ],
  };
}

/** Customers in Europe with a browser: neither staff, nor partners' programs. */
function audience(): PredicateDefinition {
  return {
    all: [
      {
        not: {
          any: [
            { cookie: { name: 'wordpress_logged_in_*' } },
            ...series(19, (k): PredicateDefinition => ({ cookie: { name: `staff-${k}` } })),
          ],
        },
      },
      {
        any: [
          ...COUNTRIES.map((country): PredicateDefinition => ({ country })),
          { language: 'de' },
          { language: 'fr-CH' },
        ],
      },
      { not: { any: series(38, (k) => named('header', 'x-partner', `partner-${k}`)) } },
      { not: { any: series(10, (k) => named('query', 'source', `feed-${k}`)) } },
      { not: { header: { name: 'x-build', value: { regex: '^0\\.[0-9]+(?:-beta)?$' } } } },
      { not: { path: { prefix: '/area-0/page-19' } } },
      { not: { path: { glob: '/*/secret/**' } } },
      { not: { bot: ['search', 'ai'] } },
      { device: ['mobile', 'tablet', 'desktop'] },
    ],
  };
}

const COUNTRIES = 'AT BE CH CZ DE DK ES FI FR GB GR HU IE IT LU NL NO PL PT RO SE'.split(' ');

const BROWSERS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
];

/**
 * One request of the stream: mostly customers on the pages of some experiment, now and then
 * staff, testers, partners' programs, crawlers, and paths that no experiment is about.
 *
 * @param areas how many areas have an experiment
 * @param visitor the visitor's cookie; none for who comes for the first time
 */
export function drawRequest(
  random: Random,
  areas: number,
  visitor: string | undefined,
): RequestSource {
  const draw = (count: number) => Math.floor(random() * count);
  const pick = (items: readonly string[]) => items[draw(items.length)] ?? '';
  const happens = (probability: number) => random() < probability;
  const at = draw(areas);
  const tester = happens(0.01) ? `qa-${at}-${draw(20)}` : undefined;
  const cookies = [
    'theme=dark; consent=all; _session=0123456789abcdef0123456789abcdef',
    ...(happens(0.02) ? ['wordpress_logged_in_5f2c=editor'] : []),
    ...(visitor === undefined ? [] : [visitor]),
  ];
  const headers = new Map([
    ['host', pick(['shop.example', 'shop.example:443', 'de.shop.example', 'm.example'])],
    ['user-agent', pick(BROWSERS)],
    ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['accept-language', pick(['de-AT,de;q=0.9,en;q=0.5', 'en-GB,en;q=0.8', 'fr', 'fr-CH,fr'])],
    ['accept-encoding', 'gzip, deflate, br, zstd'],
    ['cf-ipcountry', pick([...COUNTRIES, 'US', 'BR', 'IN'])],
    ['sec-fetch-mode', 'navigate'],
    ['cookie', cookies.join('; ')],
    ...(tester === undefined ? [] : [['x-qa', tester] as const]),
    ...(happens(0.02) ? [['x-partner', `partner-${draw(80)}`] as const] : []),
    ...(happens(0.02) ? [['x-build', pick(['0.9-beta', '1.4'])] as const] : []),
  ]);
  const inArea = pick([
    '',
    `/page-${draw(25)}`,
    `/section-${draw(25)}/a/b`,
    `/shoes/item-${draw(20)}`,
    `/a/b/c/detail-${draw(6)}`,
  ]);
  const path = happens(0.1) ? pick(ELSEWHERE) : `/area-${at}${inArea}`;
  const query = happens(0.3)
    ? `?campaign=c-${draw(1_000)}&source=feed-${draw(200)}&page=${draw(9)}`
    : '';
  return {
    method: happens(0.02) ? 'HEAD' : 'GET',
    target: path + query,
    host: headers.get('host') ?? '',
    header: (name) => headers.get(name),
    countryHeader: 'cf-ipcountry',
  };
}

const ELSEWHERE = [
  '/',
  '/_next/static/chunk.js',
  '/wp-content/uploads/a.jpg',
  '/api/plans',
  '/about/us',
  `/area-${'9'.repeat(40)}`,
  `/${'deep/'.repeat(200)}`,
  '/area-1/../area-2/%70age-1',
];

function named(kind: 'header' | 'cookie' | 'query', name: string, value: string) {
  const pattern = { name, value };
  if (kind === 'header') return { header: pattern };
  return kind === 'cookie' ? { cookie: pattern } : { query: pattern };
}

function series<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
