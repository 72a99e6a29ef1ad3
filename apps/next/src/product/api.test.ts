import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { findPlan, listPlans, signUp } from './api.ts';

const plan = {
  id: 'soar',
  name: 'Soar',
  tagline: 'Up.',
  price: 1800,
  currency: 'EUR',
  data: null,
  roaming: 25,
  speed: 300,
  commitment: 0,
  highlights: [],
  popular: true,
};
const request = { name: 'Ada', email: 'ada@example.org', plan: 'soar' };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return new URL(`http://127.0.0.1:${address.port}`);
}

function serveJson(status: number, body: unknown): Promise<URL> {
  return serve((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
}

/** Catches the log lines of a call that is meant to fail. */
function catchLog(): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  return lines;
}

test('lists the plans', async () => {
  const api = await serveJson(200, { plans: [plan] });
  expect(await listPlans(api)).toEqual([plan]);
});

test('an answer that breaks the contract counts as no answer, and is logged', async () => {
  const log = catchLog();
  const api = await serveJson(200, { plans: [{ ...plan, price: 'free' }] });
  expect(await listPlans(api)).toBe('unavailable');
  expect(log.join('')).toContain('/api/plans failed');
});

test('a server error counts as no answer', async () => {
  const log = catchLog();
  const api = await serveJson(500, {});
  expect(await listPlans(api)).toBe('unavailable');
  expect(log.join('')).toContain('expected status 200, got 500');
});

test('nobody listening counts as no answer; the log names the reason', async () => {
  const log = catchLog();
  const api = await serveJson(200, {});
  await Promise.all(closers.splice(0).map((close) => close()));
  expect(await listPlans(api)).toBe('unavailable');
  expect(log.join('')).toContain('ECONNREFUSED');
});

test('finds a plan, and tells a missing one from a broken server', async () => {
  catchLog();
  expect(await findPlan(await serveJson(200, plan), 'soar')).toEqual(plan);
  expect(await findPlan(await serveJson(404, {}), 'soar')).toBe('missing');
  expect(await findPlan(await serveJson(502, {}), 'soar')).toBe('unavailable');
});

test('an id that none can be is missing, unasked', async () => {
  let asked = 0;
  const api = await serve((_request, response) => {
    asked += 1;
    response.writeHead(200).end(JSON.stringify(plan));
  });
  expect(await findPlan(api, '..')).toBe('missing');
  expect(await findPlan(api, 'soar?x=/')).toBe('missing');
  expect(await findPlan(api, 'soar')).toEqual(plan);
  expect(asked).toBe(1);
});

test('signs up', async () => {
  const created = { ...request, id: '1', createdAt: '2026-01-02T03:04:05.000Z' };
  expect(await signUp(await serveJson(201, created), request)).toEqual({ signUp: created });
});

test('a refused sign-up comes back as the problem', async () => {
  const problem = {
    type: 'about:blank',
    title: 'Unprocessable',
    status: 422,
    errors: [{ field: 'email', message: 'Enter an email address.' }],
  };
  expect(await signUp(await serveJson(422, problem), request)).toEqual({ problem });
});
