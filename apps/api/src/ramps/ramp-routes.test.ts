import { randomUUIDv7 } from 'node:crypto';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../app.ts';
import { openManagement } from '../management/open-management.ts';
import { openRepository } from '../repository/open-repository.ts';
import { startServer } from '../server.ts';
import { readSettings } from '../settings.ts';
import { embeddedDatabases } from '../testing/databases.ts';

const kind = embeddedDatabases();
const tokens = {
  ada: 'ada-may-change-0123456789',
  vic: 'vic-may-look-only-0123456789',
};

const now = () => new Date('2026-05-06T07:08:09.010Z');

/** The real app over a real socket, with one experiment; no edge can be read. */
async function start() {
  const location = await kind.fresh();
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  const logger = pino({ level: 'silent' });
  const environment = {
    TURNOUT_DATA_DIR: location.dataFolder,
    TURNOUT_API_TOKENS: `ada:editor:${tokens.ada},vic:viewer:${tokens.vic}`,
    TURNOUT_EDGES: 'http://127.0.0.1:1',
  };
  const settings = readSettings(environment, () => undefined);
  const open = openManagement({ settings, repository, logger, now });
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
  const ask = async (
    method: string,
    path: string,
    { as = 'ada', body }: { as?: keyof typeof tokens; body?: unknown } = {},
  ) => {
    const response = await fetch(`${server.url}/v1/experiments${path}`, {
      method,
      headers: { Authorization: `Bearer ${tokens[as]}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const document = {
    key: 'home',
    status: 'running',
    coverage: 0,
    variants: [
      { key: 'control', upstream: 'shop', weight: 50, control: true },
      { key: 'B', upstream: 'next', weight: 50 },
    ],
  };
  await ask('POST', '', { body: { document, reason: 'try it' } });
  return ask;
}

const ramp = {
  steps: [{ coverage: 100, for: '1h' }, { coverage: 500 }],
  revision: 1,
  reason: 'go',
};

test('a ramp is started, shown to viewers, and stopped', async () => {
  const ask = await start();
  expect(await ask('GET', '/home/ramp', { as: 'vic' })).toMatchObject({
    status: 404,
    body: { detail: 'There is no ramp of experiment "home".' },
  });
  const started = await ask('PUT', '/home/ramp', { body: ramp });
  expect(started).toEqual({
    status: 200,
    body: {
      experiment: 'home',
      // No edge is there in this test.
      status: 'holding',
      reason: 'no edge is known yet to decide by the experiment as it stands',
      steps: [{ coverage: 100, for: 3_600_000 }, { coverage: 500 }],
      gates: { minimumRequests: 200, errorRate: 1, firstByte: 2, sampleRatio: 0.001 },
      step: 0,
      before: 0,
      stepSince: '2026-05-06T07:08:09.010Z',
      nextAt: '2026-05-06T08:08:09.010Z',
      readings: [],
    },
  });
  expect(await ask('GET', '/home/ramp', { as: 'vic' })).toEqual(started);
  expect(await ask('GET', '/home', { as: 'vic' })).toMatchObject({
    body: { revision: 2, author: 'ramp (ada)', document: { coverage: 100 } },
  });
  expect(await ask('PUT', '/home/ramp', { body: { ...ramp, revision: 2 } })).toMatchObject({
    status: 409,
    body: { detail: 'Experiment "home" has a ramp under way. Stop it first (DELETE).' },
  });
  expect(await ask('DELETE', '/home/ramp')).toMatchObject({
    status: 200,
    body: { status: 'stopped', reason: 'stopped by ada' },
  });
});

test('a ramp that can not be is refused, with the reason', async () => {
  const ask = await start();
  expect(await ask('PUT', '/none/ramp', { body: ramp })).toMatchObject({ status: 404 });
  expect(await ask('PUT', '/home/ramp', { body: { ...ramp, revision: 4 } })).toMatchObject({
    status: 409,
    body: { current: { revision: 1 } },
  });
  const falling = { ...ramp, steps: [{ coverage: 500 }, { coverage: 100, for: 'soon' }] };
  expect(await ask('PUT', '/home/ramp', { body: falling })).toMatchObject({
    status: 422,
    body: {
      errors: [
        {
          field: 'steps[1].for',
          message: 'expected a length of time such as 250ms, 5s, 10m or 1h, got "soon"',
        },
      ],
    },
  });
  const flat = { ...ramp, steps: [{ coverage: 500 }, { coverage: 500 }] };
  expect(await ask('PUT', '/home/ramp', { body: flat })).toMatchObject({
    status: 422,
    body: {
      errors: [
        {
          field: 'steps[1].coverage',
          message: 'expected more than the 500 of the step before, got 500',
        },
      ],
    },
  });
});

test('viewers start and stop none, and other methods are not there', async () => {
  const ask = await start();
  const asVic = { as: 'vic', body: ramp } as const;
  expect(await ask('PUT', '/home/ramp', asVic)).toMatchObject({ status: 403 });
  expect(await ask('DELETE', '/home/ramp', { as: 'vic' })).toMatchObject({ status: 403 });
  expect(await ask('POST', '/home/ramp', { body: ramp })).toMatchObject({ status: 405 });
});
