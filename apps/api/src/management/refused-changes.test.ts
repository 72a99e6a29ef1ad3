import type { ApplyResult, Change } from '@turnout/contracts/management';
import { beforeAll, describe, expect, test } from 'vitest';
import { endOfSuite } from '../testing/api-process.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { create, newKey, startManaged } from '../testing/managed-api.ts';
import { manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

describe('what is refused', () => {
  let url: string;
  const until = endOfSuite();
  beforeAll(async () => {
    ({ url } = await startManaged(undefined, { until }));
  }, 60_000);

  test('names every problem with its place', async () => {
    const document = {
      ...experimentDocument(),
      key: 'Home',
      coverage: 10_001,
      unknown: true,
    };
    const { status, body } = await manage<ManagementProblem>(url, 'POST /experiments', {
      document,
    });
    expect(status).toBe(422);
    expect(body.errors).toEqual([
      expect.objectContaining({ field: 'document.key' }),
      expect.objectContaining({ field: 'document.coverage' }),
      { field: 'document.unknown', message: 'unknown key' },
      { field: 'reason', message: 'expected a reason: why is this changed?' },
    ]);
  });

  test('an upstream that is not there, a path that matches nothing, slots that are taken', async () => {
    const key = newKey();
    await create(url, { key, layer: { name: key, slots: [0, 5000] } });
    const { status, body } = await manage<ManagementProblem>(url, 'POST /experiments', {
      reason: 'x',
      document: experimentDocument({
        key: newKey(),
        scope: { paths: ['/', '/a**b'] },
        layer: { name: key, slots: [4000, 6000] },
        variants: [
          { key: 'control', upstream: 'wordpress', weight: 50, control: true },
          { key: 'A', upstream: 'nxt', weight: 50 },
        ],
      }),
    });
    expect(status).toBe(422);
    expect(body.errors).toEqual([
      { field: 'document.scope.paths[1]', message: expect.stringContaining('**') },
      {
        field: 'document.variants[1].upstream',
        message: 'no upstream "nxt"; there are: wordpress, next, vue',
      },
      {
        field: 'document.layer.slots',
        message: expect.stringMatching(/share the slots \[4000, 5000\)/),
      },
    ]);
  });

  test('a draft may name slots that are taken, and is refused when it leaves draft', async () => {
    const key = newKey();
    const layer = { name: key, slots: [0, 10_000] };
    const next = newKey();
    await create(url, { key, layer });
    await create(url, { key: next, status: 'draft', layer });
    const start1 = { status: 'running', reason: 'go' };
    const refused = await manage<ManagementProblem>(
      url,
      `POST /experiments/${next}/status`,
      start1,
    );
    expect(refused.status).toBe(422);
    expect(refused.body.errors?.map(({ field }) => field)).toEqual(['layer.slots']);
    // One file that swaps them is one change.
    const swap = await manage<ApplyResult>(url, 'POST /apply', {
      reason: 'swap',
      experiments: [
        experimentDocument({ key, layer: { name: newKey(), slots: [0, 1] } }),
        experimentDocument({ key: next, layer }),
      ],
    });
    expect(swap.status).toBe(200);
  });

  test('statuses that do not follow', async () => {
    const key = newKey();
    await create(url, { key });
    const status = (body: object) =>
      manage<ManagementProblem>(url, `POST /experiments/${key}/status`, { reason: 'x', ...body });
    const problems = [
      await status({ status: 'draft' }),
      await status({ status: 'concluded' }),
      await status({ status: 'concluded', winner: 'C' }),
      await status({ status: 'running', winner: 'A' }),
    ];
    expect(problems.map(({ body }) => body.errors)).toEqual([
      [{ field: 'status', message: expect.stringContaining('does not become a draft again') }],
      [{ field: 'winner', message: 'a concluded experiment names its winner' }],
      [{ field: 'winner', message: 'no variant "C"; there are control, A' }],
      [{ field: 'winner', message: expect.stringContaining('only a concluded experiment') }],
    ]);
    const concluded = await manage<Change>(url, `POST /experiments/${key}/status`, {
      status: 'concluded',
      winner: 'A',
      reason: 'A it is',
    });
    expect(concluded.body.experiment.document).toMatchObject({
      status: 'concluded',
      winner: 'A',
    });
    const { body } = await manage<Change>(url, `POST /experiments/${key}/status`, {
      status: 'running',
      reason: 'not so sure',
    });
    expect(body.experiment.document).not.toHaveProperty('winner');
  });

  test('weights that are not for all variants, or add up to something else', async () => {
    const key = newKey();
    await create(url, { key });
    const allocate = (values: object) =>
      manage<ManagementProblem>(url, `POST /experiments/${key}/allocation`, {
        weights: values,
        revision: 1,
        reason: 'x',
      });
    expect((await allocate({ control: 50, B: 50 })).body.errors).toEqual([
      { field: 'weights.B', message: 'no variant "B"; there are control, A' },
      { field: 'weights.A', message: expect.stringContaining('missing') },
    ]);
    expect((await allocate({ control: 50, A: 40 })).body.errors).toEqual([
      { field: 'variants', message: expect.stringContaining('weights must add up to 100') },
    ]);
  });

  test('another phase or salt without the meaning that says so', async () => {
    const key = newKey();
    await create(url, { key });
    const put = (changes: object, meaning: string) =>
      manage<Change & ManagementProblem>(url, `PUT /experiments/${key}`, {
        document: experimentDocument({ key, ...changes }),
        revision: 1,
        reason: 'x',
        meaning,
      });
    const refused = [
      await put({ phase: 2 }, 'new-visitors'),
      await put({ salt: 's' }, 'move-fewest'),
    ];
    expect(refused.map(({ body }) => body.errors?.map(({ field }) => field))).toEqual([
      ['document.phase'],
      ['document.salt'],
    ]);
    const { body } = await put({ phase: 2, salt: 's' }, 'new-phase');
    expect(body.experiment.document).toMatchObject({ phase: 2, salt: 's', revision: 2 });
  });

  test.each([
    ['POST /experiments', 'not json', 400],
    ['POST /experiments', '', 400],
    [
      'POST /experiments',
      `{"document":{"audience":${'{"not":'.repeat(50_000)}1${'}'.repeat(50_001)}}`,
      422,
    ],
    ['POST /experiments', '[]', 422],
    ['POST /experiments', '{"__proto__":{"document":{}}}', 422],
    ['POST /experiments', JSON.stringify({ document: 'x'.repeat(1_100_000) }), 413],
    [
      'PUT /experiments/nobody',
      { document: experimentDocument({ key: 'nobody' }), revision: 1, reason: 'x' },
      404,
    ],
    ['GET /experiments/nobody', undefined, 404],
    ['GET /experiments/nobody/history', undefined, 404],
    ['POST /experiments/nobody/status', { status: 'killed', reason: 'x' }, 404],
    ['POST /experiments/nobody/revert', { revision: 2, reason: 'x' }, 404],
    ['POST /experiments/nobody/preview', { variant: 'A' }, 404],
    ['DELETE /experiments/nobody', undefined, 405],
    ['GET /experiments/', undefined, 404],
    ['GET /audit?limit=0', undefined, 400],
    ['GET /audit?before=yesterday', undefined, 400],
    ['GET /visitors/nobody', undefined, 404],
    ['GET /nothing', undefined, 404],
  ])('%s', async (request, body, expected) => {
    const { status, headers, body: problem } = await manage<ManagementProblem>(url, request, body);
    expect(status).toBe(expected);
    expect(headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
    expect(problem).toMatchObject({ status: expected, title: expect.any(String) });
  });

  test('a body that is no JSON by its own account', async () => {
    const answer = await manage(url, 'POST /experiments', '{}', {
      headers: { 'Content-Type': 'text/plain' },
    });
    expect(answer.status).toBe(415);
  });
});
