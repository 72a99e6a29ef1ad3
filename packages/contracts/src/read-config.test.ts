import { describe, expect, test } from 'vitest';
import type { LooseDocument } from './loose-document.ts';
import type { Problem } from './problem.ts';
import { ConfigError } from './config-error.ts';
import { readConfig } from './read-config.ts';

const PLAIN = `
upstreams: { site: { url: "http://127.0.0.1:3000" } }
default: site
`;

const EXPERIMENT = `${PLAIN}
experiments:
  - key: home
    status: running
    variants:
      - { key: control, upstream: site, weight: 50, control: true }
      - { key: A, upstream: site, weight: 50 }
`;

function problems(source: string, env: Record<string, string> = {}): readonly string[] {
  try {
    readConfig(source, 'turnout.yaml', env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('upstreams and a default are a whole configuration', () => {
  const config = readConfig(PLAIN, 'turnout.yaml');
  expect(config.upstreams['site']?.url).toBe('http://127.0.0.1:3000');
  expect(config.public).toEqual({ port: 8080, hosts: ['localhost', '127.0.0.1', '[::1]'] });
  expect(config.private).toEqual({ port: 8090, address: '127.0.0.1' });
  expect(config.experiments).toBeUndefined();
});

describe('bad input', () => {
  const cases: [name: string, source: string, problem: string][] = [
    ['not YAML', 'a: [', 'turnout.yaml:1:5: '],
    ['a list', '- a', 'turnout.yaml: expected a mapping'],
    ['nothing', '', 'turnout.yaml: upstreams: missing (expected record)'],
    ['an unknown key', `${PLAIN}publik: {}\n`, 'turnout.yaml:4:9: publik: unknown key'],
    [
      'an upstream url that is none',
      PLAIN.replace('http://127.0.0.1:3000', '127.0.0.1'),
      'upstreams.site.url: expected an upstream such as http://127.0.0.1:3000, got "127.0.0.1": not a URL',
    ],
    ['an upstream url with a path', PLAIN.replace(':3000', ':3000/shop'), 'leave out the path'],
    [
      'one port for both sides',
      `${PLAIN}public: { port: 8090 }\nprivate: { port: 8090 }\n`,
      'private.port: expected another port than public.port, got 8090',
    ],
    ['an upstream url of ftp', PLAIN.replace('http:', 'ftp:'), 'ftp:// is not supported'],
    [
      'a default that is no upstream',
      PLAIN.replace('default: site', 'default: sight'),
      'turnout.yaml:3:10: default: no upstream "sight"; there are: site',
    ],
    [
      'weights that do not add up',
      EXPERIMENT.replace('weight: 50 }', 'weight: 40 }'),
      'experiments[0].variants: weights must add up to 100, got 50 + 40 = 90',
    ],
    [
      'a weight finer than a slot',
      EXPERIMENT.replace('weight: 50 }', 'weight: 50.001 }'),
      'at most two decimals',
    ],
    [
      'no control',
      EXPERIMENT.replace(', control: true', ''),
      'exactly one variant must have control',
    ],
    ['a variant twice', EXPERIMENT.replace('key: A', 'key: control'), '"control" is there twice'],
    [
      'a variant on no upstream',
      EXPERIMENT.replace('A, upstream: site', 'A, upstream: next'),
      'experiments[0].variants[1].upstream: no upstream "next"; there are: site',
    ],
    [
      'concluded without a winner',
      EXPERIMENT.replace('running', 'concluded'),
      'experiments[0].winner: a concluded experiment names its winner',
    ],
    [
      'a length of time without a unit',
      `${PLAIN}drain: 10\n`,
      'drain: expected a length of time such as 250ms, 5s, 10m or 1h, got 10',
    ],
    ...['25d', '577h', '2073600001ms', '99999999999999999999s'].map(
      (length): [string, string, string] => [
        `a length of ${length}, which no timer can hold`,
        `${PLAIN}drain: ${length}\n`,
        `drain: expected at most 24d, the longest that a timer can wait, got "${length}"`,
      ],
    ),
    [
      'a Redis port that is none',
      `${PLAIN}redis: redis://127.0.0.1:99999\n`,
      'turnout.yaml:4:8: redis: expected a URL such as redis://127.0.0.1:6379 or redis+sentinel://a:26379,b:26379/NAME, got "redis://127.0.0.1:99999"',
    ],
    [
      'a salt that cannot stand in a draw',
      EXPERIMENT.replace('key: home', 'key: home\n    salt: A B'),
      'turnout.yaml:7:11: experiments[0].salt: expected lower-case letters, digits and dashes, no dash first (at most 64), got "A B"',
    ],
    [
      'a reserved key',
      EXPERIMENT.replace('key: home', 'key: layer'),
      'turnout.yaml:6:10: experiments[0].key: "layer" names a draw of its own, choose another salt',
    ],
    [
      'a reserved salt',
      EXPERIMENT.replace('key: home', 'key: home\n    salt: coverage'),
      'experiments[0].salt: "coverage" names a draw of its own, choose another salt',
    ],
    [
      'a phase that no store can hold',
      EXPERIMENT.replace('key: home', 'key: home\n    phase: 1000000000'),
      'experiments[0].phase: expected an integer from 1 to 999999999, got 1000000000',
    ],
  ];
  test.each(cases)('%s', (_, source, problem) => {
    expect(problems(source).join('\n')).toContain(problem);
  });

  test('every problem is named at once, references too', () => {
    const found = problems(
      `publik: {}\nupstreams: { site: { url: x } }\ndefault: sight\nroutes: [{ path: a, upstream: b }]\n`,
    );
    expect(found).toHaveLength(5);
  });
});

describe('lengths of time', () => {
  test.each([
    ['24d', 2_073_600_000],
    ['576h', 2_073_600_000],
    ['0ms', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['10m', 600_000],
  ])('%s', (length, milliseconds) => {
    expect(readConfig(`${PLAIN}drain: ${length}\n`, 'turnout.yaml').drain).toBe(milliseconds);
  });
});

const layered = (key: string, layer: string, status = 'running') => `
  - key: ${key}
    status: ${status}
    layer: ${layer}
    variants: [{ key: control, upstream: site, weight: 100, control: true }]`;
const problemsOf = (...experiments: string[]) =>
  problems(`${PLAIN}experiments:${experiments.join('')}\n`);

describe('experiments of one layer', () => {
  test('that share slots are refused, each pair by name', () => {
    expect(
      problemsOf(
        layered('header', '{ name: site, slots: [0, 5000] }'),
        layered('footer', '{ name: site, slots: [4000, 6000] }', 'concluded\n    winner: control'),
        layered('prices', '{ name: site, slots: [4999, 10000] }', 'paused'),
      ),
    ).toEqual([
      'turnout.yaml:12:33: experiments[1].layer.slots: experiments "header" and "footer" of layer "site" share the slots [4000, 5000); give each slots of its own',
      'turnout.yaml:16:33: experiments[2].layer.slots: experiments "header" and "prices" of layer "site" share the slots [4999, 5000); give each slots of its own',
      'turnout.yaml:16:33: experiments[2].layer.slots: experiments "footer" and "prices" of layer "site" share the slots [4999, 6000); give each slots of its own',
    ]);
  });

  test('that only touch are fine, and so are other layers, and drafts', () => {
    expect(
      problemsOf(
        layered('header', '{ name: site, slots: [0, 5000] }'),
        layered('footer', '{ name: site, slots: [5000, 10000] }'),
        layered('prices', '{ name: prices, slots: [0, 10000] }'),
        layered('next-year', '{ name: site, slots: [0, 10000] }', 'draft'),
      ),
    ).toEqual([]);
  });
});

const noShops = ({ routes }: LooseDocument): Problem[] =>
  routes.flatMap(({ path }, index) =>
    path === '/shop' ? [{ path: ['routes', index, 'path'], message: 'no shops here' }] : [],
  );

describe("the caller's own rules", () => {
  const routed = `${PLAIN}routes:\n  - { path: /shop, upstream: site }\n`;

  test('are shown with the others, each in its place', () => {
    expect(() => readConfig(`${routed}publik: 1\n`, 'turnout.yaml', {}, noShops)).toThrow(
      "turnout.yaml can't be used, 2 problems:\n" +
        '  turnout.yaml:5:13: routes[0].path: no shops here\n' +
        '  turnout.yaml:6:9: publik: unknown key',
    );
  });

  test('refuse a configuration that the schema takes', () => {
    expect(() => readConfig(routed, 'turnout.yaml', {}, noShops)).toThrow('1 problem:');
    expect(() => readConfig(PLAIN, 'turnout.yaml', {}, noShops)).not.toThrow();
  });

  test('see what has the right shape, at its index, and whole experiments', () => {
    let seen: LooseDocument | undefined;
    const look = (document: LooseDocument) => {
      seen = document;
      return [];
    };
    const source = `public: 7\nroutes: [3, { path: /a, host: [] }]\nexperiments: [{ key: 4, scope: { paths: [/, 1] } }]\n`;
    expect(() => readConfig(source, 'turnout.yaml', {}, look)).toThrow(ConfigError);
    expect(seen).toEqual({
      public: { hosts: [] },
      private: {},
      upstreams: {},
      routes: [{}, { path: '/a' }],
      consent: {},
      experiments: [
        { scope: { paths: ['/', undefined], hosts: [] }, forced: [], layer: {}, variants: [] },
      ],
    });
    readConfig(EXPERIMENT, 'turnout.yaml', {}, look);
    expect(seen?.experiments[0]?.whole).toMatchObject({ phase: 1, scope: { paths: ['/**'] } });
  });
});

describe('environment', () => {
  test('variables override the file, also where the file has nothing', () => {
    const config = readConfig(PLAIN, 'turnout.yaml', {
      TURNOUT_PORT: '9000',
      TURNOUT_WORKERS: '3',
      TURNOUT_REDIS_URL: 'redis://127.0.0.1:6379',
      TURNOUT_COOKIE_SECRETS: 'new-secret-0123456789, old-secret-0123456789',
      TURNOUT_SITE_URL: 'http://127.0.0.1:4444',
      TURNOUT_PRIVATE_PORT: '',
    });
    expect(config.public.port).toBe(9000);
    expect(config.private.port).toBe(8090);
    expect(config.workers).toBe(3);
    expect(config.redis).toBe('redis://127.0.0.1:6379');
    expect(config.cookieSecrets).toEqual(['new-secret-0123456789', 'old-secret-0123456789']);
    expect(config.upstreams['site']?.url).toBe('http://127.0.0.1:4444');
  });

  test('a problem names the variable, and never tells a secret', () => {
    const found = problems(PLAIN, {
      TURNOUT_PORT: 'http',
      TURNOUT_SITE_URL: 'nowhere',
      TURNOUT_COOKIE_SECRETS: 'hush',
      TURNOUT_REDIS_URL: 'redi://turnout:hush@127.0.0.1',
    }).join('\n');
    expect(found).toContain(
      'environment variable TURNOUT_PORT: expected a port number from 0 to 65535, got "http"',
    );
    expect(found).toContain('environment variable TURNOUT_SITE_URL: expected an upstream');
    expect(found).toContain('environment variable TURNOUT_COOKIE_SECRETS: expected at least 16');
    expect(found).toContain('environment variable TURNOUT_REDIS_URL: expected a URL such as');
    expect(found).not.toContain('hush');
  });
});
