import { isAbsolute } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const noFile = () => undefined;

test('an empty environment listens on loopback, port 4000, with data in the repository', () => {
  const settings = readSettings({}, noFile);
  expect(settings).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    portVariable: 'TURNOUT_API_PORT',
    mysqlUrl: undefined,
    logLevel: 'info',
  });
  expect(settings.dataFolder).toMatch(/\.turnout$/);
  expect(isAbsolute(settings.dataFolder)).toBe(true);
});

test('PORT comes before TURNOUT_API_PORT, and empty counts as unset', () => {
  expect(readSettings({ PORT: '1', TURNOUT_API_PORT: '2' }, noFile)).toMatchObject({
    port: 1,
    portVariable: 'PORT',
  });
  expect(readSettings({ PORT: '', TURNOUT_API_PORT: '2' }, noFile)).toMatchObject({
    port: 2,
    portVariable: 'TURNOUT_API_PORT',
  });
});

test.each(['-1', '65536', '4000x', '0x10', ' 4000', '1e3', '99999'])('refuses port %j', (port) => {
  expect(() => readSettings({ PORT: port }, noFile)).toThrow(
    `PORT must be a port from 0 to 65535, got "${port}".`,
  );
});

test.each([
  'localhost',
  'postgres://u:secret@h/d',
  'mysql://',
  'mysql://u:secret@h',
  'mysql://u:secret@h/',
  'mysql://u:secret@h/a/b',
  'mysql://u:secret@h:port/d',
])('refuses the database URL %j without repeating its password', (url) => {
  expect(() => readSettings({ TURNOUT_MYSQL_URL: url }, noFile)).toThrow(
    /^TURNOUT_MYSQL_URL must look like mysql:\/\/user:password@host:3306\/database\.$/,
  );
});

test('looks at the edge of this machine every 5 s, or at those that it is told', () => {
  expect(readSettings({}, noFile)).toMatchObject({
    edges: ['http://127.0.0.1:8090'],
    rampEvery: 5_000,
  });
  const config = 'private: { port: 90 }\nupstreams: { x: { url: http://127.0.0.1:1 } }\ndefault: x';
  expect(readSettings({}, (name) => (name.endsWith('yaml') ? config : undefined)).edges).toEqual([
    'http://127.0.0.1:90',
  ]);
  const given = { TURNOUT_EDGES: 'http://a:1, https://b:2', TURNOUT_RAMP_EVERY: '250ms' };
  expect(readSettings(given, noFile)).toMatchObject({
    edges: ['http://a:1', 'https://b:2'],
    rampEvery: 250,
  });
});

test.each([
  [{ TURNOUT_EDGES: 'http://a:1,' }, 'TURNOUT_EDGES must be URLs of private ports'],
  [{ TURNOUT_EDGES: '10.0.0.1:8090' }, 'TURNOUT_EDGES must be URLs of private ports'],
  [
    { TURNOUT_RAMP_EVERY: '5' },
    'TURNOUT_RAMP_EVERY must be a length of time up to 1h, such as 5s, got "5".',
  ],
  [{ TURNOUT_RAMP_EVERY: '0s' }, 'TURNOUT_RAMP_EVERY must be a length of time'],
  [{ TURNOUT_RAMP_EVERY: '2h' }, 'TURNOUT_RAMP_EVERY must be a length of time'],
])('refuses %j', (environment, problem) => {
  expect(() => readSettings(environment, noFile)).toThrow(problem);
});

test('names all problems at once', () => {
  expect(() => readSettings({ PORT: 'x', TURNOUT_MYSQL_URL: 'y', LOG_LEVEL: 'z' }, noFile)).toThrow(
    /PORT .* TURNOUT_MYSQL_URL .* LOG_LEVEL/,
  );
});

/** A file system with these files only. */
const files = (texts: Readonly<Record<string, string>>) => (file: string) => texts[file];

const CONFIG = 'upstreams: { site: { url: "http://127.0.0.1:3000" } }\ndefault: site\n';

test('turnout.yaml says what upstreams there are, where the data is, and the seeds', () => {
  const text = `${CONFIG}dataDir: data
redis: redis://cache:6379
experiments:
  - key: home
    status: running
    variants: [{ key: control, upstream: site, weight: 100, control: true }]
`;
  const settings = readSettings(
    {
      TURNOUT_CONFIG: '/shop/turnout.yaml',
      TURNOUT_COOKIE_SECRETS: 'sixteen-characters,another-sixteen-c',
    },
    files({ '/shop/turnout.yaml': text }),
  );
  expect(settings).toMatchObject({
    configFile: '/shop/turnout.yaml',
    dataFolder: '/shop/data',
    redisUrl: 'redis://cache:6379',
    upstreams: ['site'],
    cookieSecrets: ['sixteen-characters', 'another-sixteen-c'],
    seeds: [{ key: 'home' }],
  });
});

test('without it the environment says what it can', () => {
  const settings = readSettings(
    { TURNOUT_DATA_DIR: '/data', TURNOUT_REDIS_URL: 'redis://cache', TURNOUT_CONFIG: '/none.yaml' },
    noFile,
  );
  expect(settings).toMatchObject({
    configFile: undefined,
    dataFolder: '/data',
    redisUrl: 'redis://cache',
    upstreams: undefined,
    publicUrl: undefined,
    seeds: [],
    tokens: [],
  });
});

test.each([
  ['{ hosts: ["*.shop.example", shop.example], port: 80 }', 'http://shop.example'],
  ['{ hosts: [localhost], port: 8123 }', 'http://localhost:8123'],
  ['{ hosts: ["*"], url: "https://shop.example" }', 'https://shop.example'],
  ['{ hosts: ["*"] }', undefined],
  ['{ port: 0 }', undefined],
])('with public: %s links lead to %s', (open, url) => {
  const settings = readSettings(
    { TURNOUT_CONFIG: '/turnout.yaml' },
    files({ '/turnout.yaml': `${CONFIG}public: ${open}\n` }),
  );
  expect(settings.publicUrl).toBe(url);
});

test('names the problems of turnout.yaml beside its own', () => {
  expect(() =>
    readSettings(
      { PORT: 'x', TURNOUT_CONFIG: '/turnout.yaml', TURNOUT_ADMIN_TOKEN: 'short' },
      files({ '/turnout.yaml': 'default: site\n' }),
    ),
  ).toThrow(/turnout\.yaml can't be used[^]* PORT [^]* TURNOUT_ADMIN_TOKEN: expected/);
});

test('the admin’s token may not be another’s as well', () => {
  const token = 'one-token-for-all';
  expect(() =>
    readSettings({ TURNOUT_ADMIN_TOKEN: token, TURNOUT_API_TOKENS: `ada:viewer:${token}` }, noFile),
  ).toThrow(/^TURNOUT_API_TOKENS: the admin token is in the list, give each one of their own\.$/);
});

test.each(['not json', '{}', '{"adminToken":"short"}', '[]'])(
  'a secrets.json that says %s gives no admin',
  (text) => {
    const settings = readSettings(
      { TURNOUT_DATA_DIR: '/data' },
      files({ '/data/secrets.json': text }),
    );
    expect(settings.tokens).toEqual([]);
  },
);
