import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from './read-config.ts';

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
  expect(config.experiments).toEqual([]);
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
    ['an upstream url of https', PLAIN.replace('http:', 'https:'), 'https:// is not supported'],
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
    }).join('\n');
    expect(found).toContain(
      'environment variable TURNOUT_PORT: expected a port number from 0 to 65535, got "http"',
    );
    expect(found).toContain('environment variable TURNOUT_SITE_URL: expected an upstream');
    expect(found).toContain('environment variable TURNOUT_COOKIE_SECRETS: expected at least 16');
    expect(found).not.toContain('hush');
  });
});
