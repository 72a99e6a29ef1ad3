import { randomUUIDv7 } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  planListSchema,
  planSchema,
  problemSchema,
  signUpSchema,
} from '@turnout/contracts/product';
import { createApp } from './app.ts';
import { openManagement } from './management/open-management.ts';
import { openRepository } from './repository/open-repository.ts';
import { startServer } from './server.ts';
import { readSettings } from './settings.ts';
import { describeDatabases, embeddedDatabases, query } from './testing/databases.ts';
import type { DatabaseKind } from './testing/databases.ts';

const NOW = new Date('2026-05-06T07:08:09.010Z');
const now = () => NOW;

/** The real app over a real socket, with its log lines. */
async function start(kind: DatabaseKind) {
  const location = await kind.fresh();
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  const log: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const logger = pino(sink);
  const settings = readSettings({}, () => undefined);
  const open = openManagement({
    settings: { ...settings, dataFolder: location.dataFolder },
    repository,
    logger,
    now,
  });
  const app = createApp({
    metrics: new Registry(),
    repository,
    management: open.management,
    logger,
    newId: randomUUIDv7,
    now,
    clock: () => performance.now(),
  });
  const server = await startServer(app, { host: '127.0.0.1', port: 0, portVariable: 'PORT' });
  onTestFinished(async () => {
    await server.drain();
    await open.close();
    await repository.close();
  });
  return { url: server.url, location, log, repository };
}

const ada = { plan: 'soar', name: 'Ada Lovelace', email: 'ada@example.org' };

function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${url}/api/sign-ups`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Checks that an answer is a problem document (RFC 9457) and returns it. */
async function problem(response: Response) {
  expect(response.headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  const text = await response.text();
  expect(text).not.toMatch(/node_modules|\.ts\b|\n\s+at /);
  const document = problemSchema.parse(JSON.parse(text));
  expect(document.status).toBe(response.status);
  return document;
}

describeDatabases('API', (kind) => {
  test('lists the plans, cheapest first, cacheable and revalidated', async () => {
    const { url } = await start(kind);
    const response = await fetch(`${url}/api/plans`);
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=60');
    expect(response.headers.get('X-Powered-By')).toBeNull();
    const { plans } = planListSchema.parse(await response.json());
    expect(plans).toHaveLength(5);

    const etag = response.headers.get('ETag') ?? '';
    // Without a Cache-Control of ours, fetch adds no-cache, which forbids a 304.
    const again = await fetch(`${url}/api/plans`, {
      headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' },
    });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  test('shows one plan, to HEAD as well', async () => {
    const { url } = await start(kind);
    const response = await fetch(`${url}/api/plans/horizon`);
    expect(planSchema.parse(await response.json())).toMatchObject({ id: 'horizon', data: null });
    const head = await fetch(`${url}/api/plans/horizon`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('ETag')).toBe(response.headers.get('ETag'));
  });

  test('stores a sign-up with the visitor and assignments that the edge names', async () => {
    const { url, location } = await start(kind);
    const response = await post(
      url,
      { ...ada, name: '  Zoë 李 🦜 ' },
      { 'X-Turnout-Visitor': 'visitor-1_A', 'X-Turnout-Assignments': 'home-redesign=A' },
    );
    expect(response.status).toBe(201);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const signUp = signUpSchema.parse(await response.json());
    expect(signUp).toMatchObject({
      plan: 'soar',
      name: 'Zoë 李 🦜',
      email: ada.email,
      createdAt: NOW.toISOString(),
    });
    expect(await query(location, 'SELECT * FROM sign_ups')).toMatchObject([
      {
        id: signUp.id,
        name: 'Zoë 李 🦜',
        visitor: 'visitor-1_A',
        assignments: 'home-redesign=A',
        idempotency_key: null,
      },
    ]);
  });

  test('takes a sign-up whose visitor headers are odd, without them', async () => {
    const { url, location } = await start(kind);
    const odd = { 'X-Turnout-Visitor': 'a b', 'X-Turnout-Assignments': 'x'.repeat(1_025) };
    expect((await post(url, ada, odd)).status).toBe(201);
    expect(await query(location, 'SELECT visitor, assignments FROM sign_ups')).toEqual([
      { visitor: null, assignments: null },
    ]);
  });

  test('answers retries with one Idempotency-Key alike, and stores one sign-up', async () => {
    const { url, location } = await start(kind);
    const headers = { 'Idempotency-Key': '"8e03978e-40d5-43e8-bc93-6894a57f9324"' };
    const responses = await Promise.all(Array.from({ length: 20 }, () => post(url, ada, headers)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
    const bodies = await Promise.all(responses.map((response) => response.text()));
    expect(new Set(bodies).size).toBe(1);
    expect(await query(location, 'SELECT id FROM sign_ups')).toHaveLength(1);

    const other = await post(url, { ...ada, name: 'Eve' }, headers);
    expect(await problem(other)).toMatchObject({
      status: 422,
      detail: expect.stringContaining('different sign-up'),
    });
    expect(await query(location, 'SELECT id FROM sign_ups')).toHaveLength(1);
  });

  test('stores 200 parallel sign-ups', async () => {
    const { url, location } = await start(kind);
    const responses = await Promise.all(Array.from({ length: 200 }, () => post(url, ada)));
    const signUps = await Promise.all(
      responses.map(async (response) => signUpSchema.parse(await response.json())),
    );
    const rows = await query(location, 'SELECT id FROM sign_ups ORDER BY id');
    expect(rows.map(({ id }) => id)).toEqual(signUps.map(({ id }) => id).toSorted());
  });

  test.each([
    [
      'an unknown plan',
      { ...ada, plan: 'none' },
      { plan: 'Choose one of the plans that we offer.' },
    ],
    [
      'no fields',
      {},
      {
        plan: 'Choose a plan.',
        name: 'Tell us your name.',
        email: 'Enter an email address such as ada@example.org.',
      },
    ],
    [
      'empty fields',
      { plan: '', name: '  ', email: '' },
      {
        plan: 'Choose a plan.',
        name: 'Tell us your name.',
        email: 'Enter an email address such as ada@example.org.',
      },
    ],
    [
      'a long name',
      { ...ada, name: 'x'.repeat(101) },
      { name: 'Keep the name within 100 characters.' },
    ],
    ['a field of another type', { ...ada, name: 7 }, { name: 'Tell us your name.' }],
    ['an unknown field', { ...ada, admin: true }, { admin: 'This field is not known.' }],
    [
      'a prototype',
      '{"__proto__":{"x":1},"plan":"soar","name":"A","email":"a@b.eu"}',
      Object.fromEntries([['__proto__', 'This field is not known.']]),
    ],
  ])('refuses %s, naming the fields', async (_what, body, expected) => {
    const { url, location } = await start(kind);
    const { status, errors } = await problem(await post(url, body));
    expect(status).toBe(422);
    expect(errors).toEqual(
      Object.entries(expected).map(([field, message]) => ({ field, message })),
    );
    expect(await query(location, 'SELECT id FROM sign_ups')).toEqual([]);
  });
});

/** What does not depend on the database is tested on the embedded one. */
describe('HTTP', () => {
  const kind = embeddedDatabases();

  test('says 503 to a sign-up while another process keeps the file locked; plans go on', async () => {
    const { url, location, log } = await start(kind);
    const other = new DatabaseSync(join(location.dataFolder, 'product.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const response = await post(url, ada);
    expect(await problem(response)).toMatchObject({ status: 503 });
    expect(response.headers.get('Retry-After')).toBe('5');
    expect((await fetch(`${url}/api/plans`)).status).toBe(200);
    other.close();
    expect((await post(url, ada)).status).toBe(201);
    expect(log.filter((line) => line.includes('"level":50'))).toHaveLength(1);
  });

  test('says 500 without a detail when a stored plan breaks the contract, and logs why', async () => {
    const { url, location, log } = await start(kind);
    await query(location, "UPDATE plans SET highlights = '7' WHERE id = 'soar'");
    const document = await problem(await fetch(`${url}/api/plans`));
    expect(document).toMatchObject({ status: 500 });
    expect(JSON.stringify(document)).not.toMatch(/highlights/);
    expect(log[0]).toMatch(/"level":50.*highlights/);
  });

  test.each(['', '[]', '7', 'null', '{', '{"plan":', '\u0000', '{"a":1}}'])(
    'refuses the body %j',
    async (body) => {
      const { url } = await start(kind);
      const response = await post(url, body);
      expect((await problem(response)).status).toBe(body === '[]' ? 422 : 400);
    },
  );

  test('refuses a body over 16 kB, declared, chunked or compressed', async () => {
    const { url } = await start(kind);
    const large = JSON.stringify({ ...ada, name: 'x'.repeat(20_000) });
    expect(await problem(await post(url, large))).toMatchObject({ status: 413 });
    const target = `${url}/api/sign-ups`;
    const common = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    const body = new Blob([large]).stream();
    expect(await problem(await fetch(target, { ...common, body, duplex: 'half' }))).toMatchObject({
      status: 413,
    });
    const headers = { ...common.headers, 'Content-Encoding': 'gzip' };
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    expect(await problem(await fetch(target, { ...common, headers, body: bomb }))).toMatchObject({
      status: 413,
    });
  });

  test.each([
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    { 'Content-Type': 'nonsense' },
    { 'Content-Type': 'application/json; charset=latin1' },
    { 'Content-Encoding': 'compress' },
  ])('refuses the media type of %j', async (headers) => {
    const { url } = await start(kind);
    const response = await post(url, ada, headers);
    expect(await problem(response)).toMatchObject({ status: 415 });
    expect(response.headers.get('Accept')).toBe('application/json');
  });

  test.each(['', ' ', 'a b', 'ü', 'x'.repeat(256)])(
    'refuses the Idempotency-Key %j',
    async (key) => {
      const { url, location } = await start(kind);
      expect(await problem(await post(url, ada, { 'Idempotency-Key': key }))).toMatchObject({
        status: 400,
      });
      expect(await query(location, 'SELECT id FROM sign_ups')).toEqual([]);
    },
  );

  test.each([
    ['/api/plans', 'POST', 'GET, HEAD, OPTIONS'],
    ['/api/plans/soar', 'DELETE', 'GET, HEAD, OPTIONS'],
    ['/api/sign-ups', 'GET', 'POST, OPTIONS'],
    ['/healthz', 'PUT', 'GET, HEAD, OPTIONS'],
  ])('%s refuses %s and says what it allows', async (path, method, allow) => {
    const { url } = await start(kind);
    const response = await fetch(`${url}${path}`, { method });
    expect(await problem(response)).toMatchObject({ status: 405 });
    expect(response.headers.get('Allow')).toBe(allow);
    const options = await fetch(`${url}${path}`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('Allow')]).toEqual([204, allow]);
  });

  test.each([
    '/',
    '/api',
    '/API/plans',
    '/api/plans/',
    '/api/plans/none',
    '/api/plans/soar/x',
    '/api/plans/__proto__',
    '/api/sign-ups/1',
    '/favicon.ico',
    '/api/plans/%2e%2e%2fhealthz',
  ])('has nothing at %s', async (path) => {
    const { url } = await start(kind);
    expect(await problem(await fetch(`${url}${path}`))).toMatchObject({ status: 404 });
  });

  test('refuses a path that is no UTF-8', async () => {
    const { url } = await start(kind);
    expect(await problem(await fetch(`${url}/api/plans/%E0%A4`))).toMatchObject({ status: 400 });
  });

  describe('request log', () => {
    test('is one line a request, under the id that came with it', async () => {
      const { url, log } = await start(kind);
      const headers = { 'X-Request-Id': 'edge-1', 'X-Turnout-Visitor': 'secret-visitor' };
      const response = await fetch(`${url}/api/plans/none?email=ada@example.org`, { headers });
      expect(await problem(response)).toMatchObject({ status: 404 });
      expect(response.headers.get('X-Request-Id')).toBe('edge-1');
      expect(log).toHaveLength(1);
      expect(JSON.parse(log[0] ?? '')).toMatchObject({
        level: 30,
        requestId: 'edge-1',
        method: 'GET',
        path: '/api/plans/none',
        status: 404,
        msg: 'request',
      });
      expect(log[0]).not.toMatch(/ada@|secret-visitor/);
    });

    test.each(['', 'x'.repeat(129), 'a b', '<script>'])('replaces the odd id %j', async (id) => {
      const { url } = await start(kind);
      const response = await fetch(`${url}/healthz`, { headers: { 'X-Request-Id': id } });
      expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    });

    test('tells a client that left', async () => {
      const { url, log } = await start(kind);
      const left = Promise.withResolvers<void>();
      const upload = request(`${url}/api/sign-ups`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Length': '100' },
      });
      upload.on('error', () => left.resolve());
      upload.write('{');
      // Only an answer proves that the server has begun to read; a second request gives one.
      await fetch(`${url}/healthz`);
      upload.destroy();
      await left.promise;
      await expect
        .poll(() => log.some((line) => line.includes('"aborted":true')), { timeout: 10_000 })
        .toBe(true);
    });
  });
});
