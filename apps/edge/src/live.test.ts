import { experimentSchema } from '@turnout/contracts';
import { createUpstream } from '@turnout/proxy';
import { createRequestTraits } from '@turnout/router-core';
import { afterAll, expect, test } from 'vitest';
import { LiveCompiler, compileLive, type Live } from './live.ts';

const UPSTREAMS = new Map(
  ['one', 'two'].map((name) => [
    name,
    {
      upstream: createUpstream({ name, url: 'http://127.0.0.1:1' }),
      traffic: { upstream: name, experiment: '', variant: '' },
    },
  ]),
);
afterAll(() => Promise.all([...UPSTREAMS.values()].map(({ upstream }) => upstream.destroy())));

function document(key: string, more: Readonly<Record<string, unknown>> = {}) {
  return experimentSchema.parse({
    key,
    status: 'running',
    scope: { paths: [`/${key}`] },
    variants: [
      { key: 'control', upstream: 'one', weight: 50, control: true },
      { key: 'B', upstream: 'two', weight: 50 },
    ],
    ...more,
  });
}

function texts(...documents: readonly unknown[]): string[] {
  return documents.map((one) => JSON.stringify(one));
}

function head(revision: number, ...keys: string[]) {
  return { revision, publishedAt: 0, keys };
}

/** Which experiment decides on each of these pages. */
function decides(live: Live, ...paths: string[]): (string | undefined)[] {
  return paths.map((target) => {
    const source = { method: 'GET', target, host: 'site', header: () => undefined };
    const [experiment] = live.set.inScope(createRequestTraits(source));
    return experiment && `${experiment.key} ${experiment.revision}`;
  });
}

test('a snapshot made from the one before is as one made at once', async () => {
  const compiler = new LiveCompiler(UPSTREAMS);
  const [a, b, draft] = [document('a'), document('b'), document('c', { status: 'draft' })];
  await compiler.prepare(texts(a, b));
  await compiler.prepare(texts(draft));
  const first = await compiler.finish(head(1, 'a', 'b', 'c'));
  expect(decides(first, '/a', '/b', '/c')).toEqual(['a 1', 'b 1', undefined]);
  expect(first.experiment('c')?.status).toBe('draft');

  const next = document('b', { revision: 2, scope: { paths: ['/a', '/x'] } });
  await compiler.prepare(texts(next));
  const second = await compiler.finish(head(2, 'b', 'c', 'a'));
  const whole = compileLive({ revision: 2, experiments: [next, draft, a] }, UPSTREAMS);
  expect(second.definitions).toEqual(whole.definitions);
  const pages = ['/a', '/b', '/x', '/c'];
  expect(decides(second, ...pages)).toEqual(decides(whole, ...pages));
  expect(second.experiment('a')).toBe(first.experiment('a'));
  // Who began with the first is decided by it to the end.
  expect(decides(first, ...pages)).toEqual(['a 1', 'b 1', undefined, undefined]);

  const third = await compiler.finish(head(3));
  expect(decides(third, ...pages)).toEqual(Array(4).fill(undefined));
});

test('what was prepared twice, or in vain, leaves nothing behind', async () => {
  const compiler = new LiveCompiler(UPSTREAMS);
  await compiler.prepare(texts(document('a'), document('b')));
  await compiler.prepare(texts(document('a', { revision: 2, scope: { paths: ['/other'] } })));
  const live = await compiler.finish(head(1, 'a'));
  expect(decides(live, '/a', '/b', '/other')).toEqual([undefined, undefined, 'a 2']);
  await expect(compiler.finish(head(2, 'a', 'b'))).rejects.toThrow('experiment "b"');
});

test.each([
  ['a rule that can not be compiled', document('b', { scope: { paths: ['/b**'] } }), 'segment'],
  [
    'a control that is not here',
    document('b', { variants: [{ ...document('b').variants[0], upstream: 'nine', weight: 100 }] }),
    'nine',
  ],
])('%s: the present stays, and the next one is whole', async (_name, broken, why) => {
  const compiler = new LiveCompiler(UPSTREAMS);
  await compiler.prepare(texts(document('a')));
  await compiler.finish(head(1, 'a'));
  await compiler.prepare(texts(document('c'), broken, document('d')));
  await expect(compiler.finish(head(2, 'a', 'b', 'c', 'd'))).rejects.toThrow(why);
  await compiler.prepare(texts(document('c')));
  const next = await compiler.finish(head(3, 'a', 'c'));
  expect(decides(next, '/a', '/b', '/c', '/d')).toEqual(['a 1', undefined, 'c 1', undefined]);
});

test('control stands in for a variant whose upstream is not here', () => {
  const [control] = document('a').variants;
  const experiments = [
    document('a', { variants: [control, { key: 'B', upstream: 'nine', weight: 50 }] }),
  ];
  const live = compileLive({ revision: 1, experiments }, UPSTREAMS);
  const b = live.experiment('a')?.variant('B');
  if (b === undefined) throw new Error('Expected the variant');
  expect(live.destinationOf(b)).toMatchObject({
    upstream: { name: 'one' },
    traffic: { upstream: 'one', experiment: 'a', variant: 'control' },
  });
  expect(live.destinationOutside(b)).toMatchObject({ upstream: { name: 'one' } });
});
