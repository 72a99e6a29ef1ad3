import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { TestResult, TrackingEvent } from '@turnout/contracts/event';
import { createVisitorCookie, signPreview } from '@turnout/router-core';
import { Client } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { readLoggedEvents, type LoggedEvents } from '../kit/logged-events.ts';
import { metricValue } from '../kit/metrics.ts';
import { descendantsOf } from '../kit/processes.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';

/** `POST /_turnout/v1/events`: what it takes, what it refuses, and that what it took stays taken. */

const SECRET = 'a-secret-of-this-test-alone';
const EVENTS = '/_turnout/v1/events';
const JSON_TYPE = { 'content-type': 'application/json' };

let upstreams: LightUpstreams;
beforeAll(async () => {
  upstreams = await startLightUpstreams(['shop']);
});
afterAll(() => upstreams.close());

function configOf(more: Readonly<Record<string, unknown>> = {}) {
  return {
    node: 'edge-under-test',
    upstreams: upstreams.config,
    default: 'shop',
    ledgerWait: '5s',
    experiments: [
      {
        key: 'home',
        status: 'running',
        variants: [{ key: 'control', upstream: 'shop', weight: 100, control: true }],
      },
    ],
    ...more,
  };
}

/** Opens a page as somebody new. */
async function newVisitor(edge: EdgeProcess, more: Readonly<Record<string, string>> = {}) {
  const page = await send(`${edge.url}/`, { ...NAVIGATION, ...more });
  const cookie = visitorCookie(page) ?? '';
  const id = cookie.split('.')[1] ?? '';
  return { cookie, id, requestId: String(page.headers['x-request-id']) };
}

function result(more: Readonly<Record<string, unknown>> = {}) {
  return { event_id: randomUUIDv7(), metric: 'signup', did_convert: true, ...more };
}

function report(...events: readonly unknown[]): string {
  return JSON.stringify({ events });
}

interface ProblemDocument {
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string }[];
}

function fifty(): string {
  return report(...Array.from({ length: 50 }, () => result()));
}

function isResult(event: TrackingEvent): event is TestResult {
  return event.kind === 'result';
}

describe('a report', () => {
  let edge: EdgeProcess;
  let events: LoggedEvents;
  beforeAll(async () => {
    const config = configOf({ consent: { cookie: 'agreed' } });
    edge = await startEdge({ config, env: { TURNOUT_COOKIE_SECRETS: SECRET }, workers: 1 });
    events = readLoggedEvents(edge);
  });
  afterAll(async () => {
    await events?.close();
    await edge?.remove();
  });
  const agreed = { cookie: 'agreed=1' };

  async function visitor() {
    const made = await newVisitor(edge, agreed);
    return { ...made, cookie: `agreed=1; ${made.cookie}` };
  }
  const post = (
    headers: Readonly<Record<string, string>>,
    body: string | Buffer,
    path: string = EVENTS,
  ) => send(`${edge.url}${path}`, headers, 'POST', body);

  test('is taken as a browser sends it, as a beacon does, and as a server does', async () => {
    const { cookie, id, requestId } = await visitor();
    const browser = { cookie, 'sec-fetch-site': 'same-origin', origin: edge.url };
    const sent = [
      result({ value: 9.5, request_id: requestId, session_id: id, variant: 'control' }),
      result({ did_convert: false, metric: 'purchase' }),
      result({ experiment: 'home', occurred_at: Date.now() - 60_000 }),
      result(),
    ] as const;
    const answers = await Promise.all([
      post({ ...browser, ...JSON_TYPE }, report(sent[0])),
      post({ ...browser, 'content-type': 'text/plain;charset=UTF-8' }, report(sent[1])),
      post({ ...browser }, report(sent[2])),
      post({ cookie, ...JSON_TYPE }, report(sent[3])),
    ]);
    for (const answer of answers) {
      expect([answer.status, JSON.parse(answer.text)]).toEqual([202, { results: 1 }]);
      expect(answer.headers['cache-control']).toBe('no-store');
    }
    const results = (await events.take()).filter(isResult);
    const byId = new Map(results.map((event) => [event.eventId, event]));
    expect(results).toHaveLength(4);
    expect(byId.get(sent[0].event_id)).toMatchObject({
      requestId,
      visitor: id,
      experiment: 'home',
      variant: 'control',
      phase: 1,
      revision: 1,
      didConvert: true,
      metric: 'signup',
      value: 9.5,
      edge: 'edge-under-test',
    });
    expect(byId.get(sent[1].event_id)).toMatchObject({
      requestId: null,
      didConvert: false,
      metric: 'purchase',
      value: null,
    });
    const late = byId.get(sent[2].event_id);
    expect((late?.receivedAt ?? 0) - (late?.at ?? 0)).toBeGreaterThanOrEqual(60_000);
    const text = await edge.metrics();
    expect(metricValue(text, 'turnout_events_total', { kind: 'result', outcome: 'taken' })).toBe(4);
  });

  test('sent again is the same event', async () => {
    const { cookie } = await visitor();
    const body = report(result());
    for (const _ of [1, 2]) expect((await post({ cookie }, body)).status).toBe(202);
    const ids = (await events.take()).filter(isResult).map(({ eventId }) => eventId);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
  });

  test('of a page whose visitor previews, has not agreed or keeps no cookie is let go, uncounted', async () => {
    const { cookie } = await visitor();
    await events.take();
    const expires = Math.floor(Date.now() / 1_000) + 60;
    const preview = signPreview(
      { experiment: 'home', variant: 'control', expires, path: '/' },
      SECRET,
    );
    for (const sent of [
      `${cookie}; turnout-preview=${preview}`,
      cookie.replace('agreed=1; ', ''),
      '',
      'agreed=1',
      `agreed=1; turnout=1.${'A'.repeat(22)}..${'A'.repeat(22)}`,
    ]) {
      const answer = await post({ cookie: sent, origin: edge.url }, report(result()));
      expect([answer.status, answer.text]).toEqual([204, '']);
    }
    expect(await events.take()).toEqual([]);
  });

  const refusals: readonly {
    readonly why: string;
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
    readonly fields?: readonly string[];
  }[] = [
    { why: 'another site’s page', status: 403, headers: { 'sec-fetch-site': 'cross-site' } },
    { why: 'a sister site’s page', status: 403, headers: { 'sec-fetch-site': 'same-site' } },
    { why: 'another origin', status: 403, headers: { origin: 'https://other.example' } },
    { why: 'no origin that is one', status: 403, headers: { origin: 'null' } },
    {
      why: 'a form',
      status: 415,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    { why: 'XML', status: 415, headers: { 'content-type': 'application/xml' } },
    { why: 'what is compressed', status: 415, headers: { 'content-encoding': 'gzip' } },
    { why: 'a server that passes no visitor on', status: 409, headers: agreed },
    {
      why: 'a server with a forged cookie',
      status: 409,
      headers: { cookie: `agreed=1; turnout=1.${'A'.repeat(22)}..${'A'.repeat(22)}` },
    },
    { why: 'too much', status: 413, body: ' '.repeat(65_537) },
    { why: 'no JSON', status: 400, body: '{"events": [' },
    { why: 'nothing', status: 400, body: '' },
    { why: 'no UTF-8', status: 400, body: Buffer.from([0x22, 0xff, 0x22]) },
    { why: 'no events', status: 422, body: report(), fields: ['events'] },
    {
      why: 'too many events',
      status: 422,
      body: report(...Array.from({ length: 51 }, () => result())),
      fields: ['events'],
    },
    {
      why: 'events that are none, each problem named',
      status: 422,
      body: report({ event_id: 'x', metric: 'Sign up', did_convert: 1 }, result({ colour: 'red' })),
      fields: [
        'events[0].event_id',
        'events[0].metric',
        'events[0].did_convert',
        'events[1].colour',
      ],
    },
    {
      why: 'more than can be named',
      status: 422,
      body: report(
        result(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1]))),
      ),
      fields: Array.from({ length: 20 }, (_, i) => `events[0].k${i}`),
    },
    {
      why: 'another visitor',
      status: 409,
      body: report(result(), result({ session_id: 'B'.repeat(21) + 'A' })),
      fields: ['events[1].session_id'],
    },
    {
      why: 'another variant',
      status: 409,
      body: report(result({ variant: 'A' })),
      fields: ['events[0].variant'],
    },
    {
      why: 'an experiment without the visitor',
      status: 409,
      body: report(result({ experiment: 'other' })),
      fields: ['events[0].experiment'],
    },
    {
      why: 'a request id that nobody gave',
      status: 409,
      body: report(result({ request_id: randomUUID() }), result({ request_id: randomUUIDv7() })),
      fields: ['events[0].request_id', 'events[1].request_id'],
    },
  ];
  test('that is none, or disagrees with the cookie, is refused, and nothing of it is taken', async () => {
    const { cookie } = await visitor();
    await events.take();
    for (const { why, status, headers = {}, body = report(result()), fields } of refusals) {
      const answer = await post({ cookie, ...JSON_TYPE, ...headers }, body);
      const problem: ProblemDocument = JSON.parse(answer.text);
      const named = problem.errors?.map(({ field }) => field);
      expect({ why, status: answer.status, told: problem.status, named }).toEqual({
        why,
        status,
        told: status,
        named: fields,
      });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(problem.detail).toMatch(/\.$/);
    }
    expect((await events.take()).filter(isResult)).toEqual([]);
  });

  test('with the request id of another visitor is refused', async () => {
    const [anna, bert] = [await visitor(), await visitor()];
    const answer = await post(
      { cookie: anna.cookie },
      report(result({ request_id: bert.requestId })),
    );
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('not a request of this visitor');
  });

  test('names any request of the visitor: their first page, a later one, what it loaded', async () => {
    const { cookie, requestId } = await visitor();
    const later = await send(`${edge.url}/`, { ...NAVIGATION, cookie });
    // Where the page's scripts find it.
    expect(later.headers['server-timing']).toContain(
      `request;desc="${String(later.headers['x-request-id'])}"`,
    );
    const loaded = await send(`${edge.url}/style.css`, { cookie });
    const ids = [requestId, later.headers['x-request-id'], loaded.headers['x-request-id']];
    const answer = await post({ cookie }, report(...ids.map((id) => result({ request_id: id }))));
    expect(answer.status).toBe(202);
  });

  test('of docs/events.md is answered as it says there', async () => {
    const { cookie } = await visitor();
    const text = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
    const bodies = [...text.matchAll(/-d '([^']+)'/g)].map(([, body = '']) => body);
    const answers = await Promise.all(bodies.map((body) => post({ cookie, ...JSON_TYPE }, body)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 409]);
    const [taken, , refused] = answers;
    expect(text).toContain(`\n\n${taken?.text}`);
    const [, shown = ''] = /```json\n([^`]+)```/.exec(text) ?? [];
    // The document's visitor is in the demo's experiment.
    const demo = (refused?.text ?? '').replace('control', 'A').replace('home', 'home-redesign');
    expect(JSON.parse(demo)).toEqual(JSON.parse(shown));
  });

  test('by another method is refused', async () => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await send(`${edge.url}${EVENTS}`, agreed, method);
      expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
    }
  });

  test('too large is refused before it is sent, and the connection ends', async () => {
    const { cookie } = await visitor();
    const { host, hostname, port } = new URL(edge.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST ${EVENTS} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nContent-Length: 1000000000\r\n\r\n`,
    );
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    await once(socket, 'end');
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('comes too often: the visitor has to wait, others have not', async () => {
    const [anna, bert] = [await visitor(), await visitor()];
    await events.take();
    for (const _ of [1, 2]) expect((await post({ cookie: anna.cookie }, fifty())).status).toBe(202);
    const refused = await post({ cookie: anna.cookie }, fifty());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await post({ cookie: bert.cookie }, fifty())).status).toBe(202);
    expect((await events.take()).filter(isResult)).toHaveLength(150);
  });

  test('tells of an exposure that no worker knows of: the one that did may have died', async () => {
    const cookies = createVisitorCookie({ secrets: [SECRET], secure: false });
    const id = cookies.mint();
    const mirror = [{ experiment: 'home', variant: 'control', phase: 1 }];
    const cookie = `agreed=1; ${cookies.serialise(id, mirror).split(';', 1)[0]}`;
    await events.take();
    for (const sent of [result(), result({ metric: 'order' })]) {
      expect((await post({ cookie, 'user-agent': 'Googlebot/2.1' }, report(sent))).status).toBe(
        202,
      );
    }
    const taken = await events.take();
    expect(taken.map(({ kind }) => kind)).toEqual(['confirmation', 'exposure', 'result', 'result']);
    expect(taken[1]).toMatchObject({
      visitor: id,
      experiment: 'home',
      phase: 1,
      assigned: 'control',
      served: 'control',
      bot: 'search',
      edge: 'edge-under-test',
    });
  });

  test('that was taken is in the log, whatever becomes of the worker', async () => {
    const { cookie } = await visitor();
    const sent = result();
    expect((await post({ cookie }, report(sent))).status).toBe(202);
    killWorkers(edge);
    const results = (await events.take()).filter(isResult);
    expect(results.map(({ eventId }) => eventId)).toEqual([sent.event_id]);
  });
});

describe.runIf(hasRedis())('while Redis is away', () => {
  let redis: RedisServer;
  let edge: EdgeProcess;
  let events: LoggedEvents;
  const started: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.close()));
    await events?.close();
    await edge?.remove();
  });
  afterAll(() => redis?.stop());

  async function start(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    edge = await startEdge({
      config: configOf({ redis: redis.url, ...more }),
      env: { TURNOUT_COOKIE_SECRETS: SECRET },
    });
    events = readLoggedEvents({ redis: redis.url });
  }

  /** A browser: one visitor on one connection, so that one worker answers all of it. */
  async function browser() {
    const { cookie, id } = await newVisitor(edge);
    const client = new Client(edge.url, { bodyTimeout: 60_000, headersTimeout: 60_000 });
    started.push(client);
    return {
      id,
      async post(body: string): Promise<number> {
        const answer = await client.request({
          method: 'POST',
          path: EVENTS,
          headers: { cookie, ...JSON_TYPE },
          body,
        });
        await answer.body.dump();
        return answer.statusCode;
      },
    };
  }

  test('all results are taken; they come once each and in order, through the end of the workers', async () => {
    await start();
    const browsers = await Promise.all(Array.from({ length: 25 }, browser));
    await events.take();
    await redis.kill();
    const sent = new Set<string>();
    const statuses = await Promise.all(
      browsers.map(async (one) => {
        const seen = new Set<number>();
        for (let number = 1; number <= 80; number += 1) {
          const event = result({ value: number });
          sent.add(event.event_id);
          seen.add(await one.post(report(event)));
        }
        return [...seen];
      }),
    );
    expect(new Set(statuses.flat())).toEqual(new Set([202]));
    expect(sent.size).toBe(2_000);
    expect(metricValue(await edge.metrics(), 'turnout_spool_bytes')).toBeGreaterThan(200_000);
    expect(edge.logged('the event log is out of reach: spooling events').length).toBeGreaterThan(0);
    killWorkers(edge);
    await redis.restart();
    const results: TestResult[] = [];
    await expect
      .poll(
        async () => {
          results.push(...(await events.take()).filter(isResult));
          return results.length;
        },
        { timeout: 30_000 },
      )
      .toBe(2_000);
    expect(new Set(results.map(({ eventId }) => eventId))).toEqual(sent);
    for (const { id } of browsers) {
      const values = results.filter(({ visitor }) => visitor === id).map(({ value }) => value);
      expect(values).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    }
    await expect.poll(async () => metricValue(await edge.metrics(), 'turnout_spool_bytes')).toBe(0);
  });

  test('a Redis that can lose what it confirmed is told of, once', async () => {
    const lossy = await startRedis({ settings: ['--appendfsync', 'everysec'] });
    started.push({ close: () => lossy.stop() });
    await start({ redis: lossy.url });
    const message =
      'Redis can lose results that were answered with 202: set appendonly yes and appendfsync always';
    await expect.poll(() => edge.logged(message)).toMatchObject([{ got: 'appendfsync everysec' }]);
    await edge.stop();
    expect(edge.logged(message)).toHaveLength(1);
  });

  test('with a full spool, results are refused until there is room, and pages are served', async () => {
    await start({ events: { spoolBytes: 65_536 } });
    const browsers = await Promise.all(Array.from({ length: 4 }, browser));
    await events.take();
    await redis.kill();
    const taken = new Set<string>();
    for (const one of browsers) {
      for (let turn = 0; turn < 8; turn += 1) {
        const some = Array.from({ length: 12 }, () => result());
        const status = await one.post(report(...some));
        expect([202, 503]).toContain(status);
        if (status === 202) for (const { event_id: id } of some) taken.add(id);
      }
    }
    const refused = await send(
      `${edge.url}${EVENTS}`,
      { cookie: (await newVisitor(edge)).cookie },
      'POST',
      report(...Array.from({ length: 50 }, () => result({ metric: 'm'.repeat(60) }))),
    );
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    // Pages go on, and whom nobody can tell of is told of later.
    const visitors = await Promise.all(Array.from({ length: 60 }, () => newVisitor(edge)));
    await expect
      .poll(async () =>
        metricValue(await edge.metrics(), 'turnout_events_total', {
          kind: 'exposure',
          outcome: 'dropped',
        }),
      )
      .toBeGreaterThan(0);
    // Told at most once in ten seconds by each worker.
    const told = edge.logged('events can not be written down').length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(4);
    await redis.restart();
    const all: TrackingEvent[] = [];
    const arrived = () => new Set(all.filter(isResult).map(({ eventId }) => eventId));
    await expect
      .poll(
        async () => {
          all.push(...(await events.take()));
          return arrived().size;
        },
        { timeout: 30_000 },
      )
      .toBe(taken.size);
    expect(arrived()).toEqual(taken);
    await Promise.all(
      visitors.map(({ cookie }) => send(`${edge.url}/`, { ...NAVIGATION, cookie })),
    );
    all.push(...(await events.take()));
    const exposed = new Set(
      all.filter(({ kind }) => kind === 'exposure').map((one) => one.visitor),
    );
    expect(visitors.filter(({ id }) => !exposed.has(id))).toEqual([]);
  });
});

function killWorkers({ pid }: EdgeProcess): void {
  for (const worker of descendantsOf(pid)) process.kill(worker.pid, 'SIGKILL');
}
