import { join } from 'node:path';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';
import { createPublisher, type Publisher } from '../kit/publish.ts';

// Snapshots of some 400 kB, which reach the workers in parts.

/** As many as a cookie mirrors, so that one answer tells of all. */
const EXPERIMENTS = 16;
const DECIDING = 'deciding by new experiments';

let upstreams: LightUpstreams;
let edge: EdgeProcess;
let publisher: Publisher;
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  upstreams = await startLightUpstreams(['site']);
  ending.push(() => upstreams.close());
  edge = await startEdge({
    config: { upstreams: upstreams.config, default: 'site', experiments: [] },
  });
  ending.push(() => edge.remove());
  const store = createEmbeddedSnapshotStore({ file: join(edge.dataDir, 'experiments.sqlite') });
  ending.push(() => store.close());
  publisher = createPublisher(store);
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

async function metric(name: string): Promise<number> {
  return metricValue(await edge.metrics(), name);
}

async function reaches(revision: number): Promise<void> {
  await expect.poll(() => metric('turnout_snapshot_revision')).toBe(revision);
}

/** Experiments whose variants carry a revision, so that whatever is mixed shows. */
function experiments(revision: number, changed = EXPERIMENTS) {
  const rules = Array.from({ length: 500 }, (_, k) => ({
    header: { name: 'x-partner', value: `partner-${k}` },
  }));
  return Array.from({ length: EXPERIMENTS }, (_, at) => ({
    key: `e${at}`,
    status: 'running',
    phase: at < changed ? revision : 1,
    scope: { paths: [`/page-${at}`] },
    audience: { not: { any: rules } },
    variants: [
      { key: `v${at < changed ? revision : 1}`, upstream: 'site', weight: 100, control: true },
    ],
  }));
}

/** The variants that a visitor has, of all experiments at one moment. */
async function variantsOf(cookie?: string): Promise<string[]> {
  const headers = { ...NAVIGATION, ...(cookie !== undefined && { cookie }) };
  const { status, text } = await send(`${edge.url}/_turnout/v1/assignments`, headers);
  expect(status).toBe(200);
  const { assignments }: { assignments: { variant: string }[] } = JSON.parse(text);
  return assignments.map(({ variant }) => variant);
}

test('sixteen experiments change at one moment, also under load', async () => {
  await expect.poll(() => metric('turnout_workers')).toBe(2);
  await publisher.publish(experiments(1));
  await reaches(1);
  const seen = new Set<string>();
  const load = { isOver: false };
  const visitor = async (): Promise<void> => {
    while (!load.isOver) {
      const variants = await variantsOf();
      expect(variants).toHaveLength(EXPERIMENTS);
      const [first = ''] = variants;
      expect(variants).toEqual(Array(EXPERIMENTS).fill(first));
      seen.add(first);
    }
  };
  const visitors = Promise.all(Array.from({ length: 4 }, visitor));
  for (let revision = 2; revision <= 6; revision++) {
    await publisher.publish(experiments(revision));
    await reaches(revision);
  }
  load.isOver = true;
  await visitors;
  expect(seen).toContain('v6');
});

test('a worker that lags goes straight to the newest, and one that is new gets all', async () => {
  const revision = await publisher.publish(experiments(7));
  await reaches(revision);
  const cookie = visitorCookie(await send(`${edge.url}/page-0`));
  await expect.poll(() => edge.logged('request').length).toBeGreaterThan(0);
  const slow = Number(edge.logged('request')[0]?.['pid']);
  const taken = await metric('turnout_change_effect_seconds_count');

  process.kill(slow, 'SIGSTOP');
  // One experiment changes each time: what the other worker and the lagging one get differs.
  for (let change = 1; change <= 3; change++) {
    const next = await publisher.publish(experiments(7 + change, 1 + change));
    await expect.poll(() => edge.logged(DECIDING).at(-1)?.['revision']).toBe(next);
  }
  process.kill(slow, 'SIGCONT');
  await reaches(10);
  const expected = experiments(10, 4).map(({ variants }) => variants[0]?.key ?? '');
  for (let i = 0; i < 6; i++) expect(await variantsOf(cookie)).toEqual(expected);
  // The other worker took each of the three, this one no more than the first and the last.
  expect((await metric('turnout_change_effect_seconds_count')) - taken).toBeLessThanOrEqual(5);

  process.kill(slow, 'SIGKILL');
  await expect.poll(() => metric('turnout_worker_restarts_total')).toBe(1);
  await expect.poll(() => metric('turnout_workers')).toBe(2);
  await reaches(10);
  for (let i = 0; i < 6; i++) expect(await variantsOf(cookie)).toEqual(expected);
  await publisher.publish(experiments(11));
  await reaches(11);
  for (let i = 0; i < 6; i++) expect(await variantsOf()).toEqual(Array(EXPERIMENTS).fill('v11'));
  expect(edge.logged('a snapshot can not be used')).toEqual([]);
});
