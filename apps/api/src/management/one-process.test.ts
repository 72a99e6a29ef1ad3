import type {
  ApplyResult,
  AuditLog,
  Change,
  ExperimentList,
  ExperimentRecord,
  PreviewLink,
} from '@turnout/contracts/management';
import { readPreview } from '@turnout/router-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { endOfSuite } from '../testing/api-process.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { SECRET, create, newKey, startManaged, weights } from '../testing/managed-api.ts';
import { manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

describe('on one process', () => {
  let url: string;
  const until = endOfSuite();
  beforeAll(async () => {
    ({ url } = await startManaged(undefined, { until }));
  }, 60_000);

  test('what changes nothing makes no revision; a new phase of the same document does', async () => {
    const key = newKey();
    await create(url, { key });
    const same = {
      document: experimentDocument({ key, revision: 5 }),
      revision: 1,
      reason: 'again',
    };
    const none = await manage<Change>(url, `PUT /experiments/${key}`, same);
    expect(none.body).toMatchObject({
      action: 'none',
      diff: [],
      experiment: { revision: 1, reason: 'begin' },
      published: { publishedAt: expect.any(String) },
    });
    const fresh = await manage<Change>(url, `PUT /experiments/${key}`, {
      ...same,
      meaning: 'new-phase',
    });
    expect(fresh.body).toMatchObject({
      action: 'change',
      experiment: { revision: 2, document: { phase: 2 } },
    });
  });

  test('a dry run answers as if, and stores nothing', async () => {
    const key = newKey();
    const trial = await manage<Change>(url, 'POST /experiments', {
      document: experimentDocument({ key }),
      reason: 'try',
      dryRun: true,
    });
    expect(trial.status).toBe(200);
    expect(trial.body).toMatchObject({
      action: 'create',
      dryRun: true,
      experiment: { revision: 1 },
    });
    expect((await manage<ManagementProblem>(url, `GET /experiments/${key}`)).status).toBe(404);
    await create(url, { key });
    for (const [path, body] of [
      ['allocation', weights(60, 40)],
      ['status', { status: 'killed', reason: 'x' }],
    ] as const) {
      const { body: change } = await manage<Change>(url, `POST /experiments/${key}/${path}`, {
        ...body,
        revision: 1,
        dryRun: true,
      });
      expect(change).toMatchObject({ action: 'change', dryRun: true, experiment: { revision: 2 } });
      expect(change.diff.length).toBeGreaterThan(0);
    }
    expect((await manage<ExperimentRecord>(url, `GET /experiments/${key}`)).body.revision).toBe(1);
    const { body: log } = await manage<AuditLog>(url, 'GET /audit');
    expect(log.rows.filter(({ subject }) => subject === key)).toHaveLength(1);
  });

  test('a preview link leads to one variant, is signed, and ends', async () => {
    const key = newKey();
    await create(url, { key });
    const before = Date.now();
    const { body } = await manage<PreviewLink>(url, `POST /experiments/${key}/preview`, {
      variant: 'A',
      path: '/plans?x=1',
      expiresIn: 3_600,
    });
    const link = new URL(body.url);
    expect(link.origin + link.pathname).toBe('https://shop.example/_turnout/preview');
    const reading = readPreview(link.searchParams.get('token') ?? '', [SECRET], Date.now());
    expect(reading).toMatchObject({
      status: 'valid',
      preview: { experiment: key, variant: 'A', path: '/plans?x=1' },
    });
    expect(Date.parse(body.expiresAt) - before).toBeGreaterThan(3_500_000);
    expect(Date.parse(body.expiresAt) - before).toBeLessThan(3_700_000);

    for (const [request, field] of [
      [{ variant: 'B' }, 'variant'],
      [{ variant: 'A', path: '//evil.example' }, 'path'],
      [{ variant: 'A', path: '/\\evil.example' }, 'path'],
      [{ variant: 'A', path: 'plans' }, 'path'],
      [{ variant: 'A', path: '/ä' }, 'path'],
      [{ variant: 'A', expiresIn: 1 }, 'expiresIn'],
    ] as const) {
      const refused = await manage<ManagementProblem>(
        url,
        `POST /experiments/${key}/preview`,
        request,
      );
      expect([request, refused.status]).toEqual([request, 422]);
      expect(refused.body.errors?.map((error) => error.field)).toEqual([field]);
    }
  });

  test('the schema of documents is there for editors, without a token', async () => {
    const { status, headers, body } = await manage<{ properties: object }>(
      url,
      'GET /schema/experiment.json',
      undefined,
      { token: '' },
    );
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toMatch(/^application\/schema\+json/);
    expect(Object.keys(body.properties)).toEqual(
      expect.arrayContaining(['key', 'status', 'variants', 'audience', 'scope', 'layer']),
    );
  });

  test('a concluded experiment is archived and restored; its key, history and results stay', async () => {
    const key = newKey();
    await create(url, { key });
    const to = (status: string, more: Readonly<Record<string, unknown>> = {}) =>
      manage<Change>(url, `POST /experiments/${key}/status`, { status, reason: 'so', ...more });
    const refused = await to('archived');
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({
      errors: [{ message: 'an experiment that is running can not be archived: conclude it first' }],
    });
    await to('concluded', { winner: 'A' });
    const archived = await to('archived');
    expect(archived.body).toMatchObject({
      action: 'change',
      experiment: { document: { status: 'archived', winner: 'A' } },
      warnings: [expect.stringContaining('get the winner A (next) no more')],
    });

    const keysOf = async (query = '') =>
      (await manage<ExperimentList>(url, `GET /experiments${query}`)).body.experiments.map(
        (one) => one.key,
      );
    expect(await keysOf()).not.toContain(key);
    expect(await keysOf('?archived=true')).toContain(key);
    expect((await manage(url, `GET /experiments/${key}/history`)).body).toMatchObject({
      revisions: [{ revision: 3 }, { revision: 2 }, { revision: 1 }],
    });
    expect((await manage(url, `GET /experiments/${key}/results?metric=signup`)).status).toBe(200);
    const again = { document: experimentDocument({ key }), reason: 'again' };
    expect((await manage(url, 'POST /experiments', again)).status).toBe(409);
    const preview = { variant: 'A' };
    expect((await manage(url, `POST /experiments/${key}/preview`, preview)).status).toBe(422);

    expect((await to('running')).body).toMatchObject({
      errors: [
        {
          message:
            'an archived experiment has to be restored first: expected concluded, which it was, got running',
        },
      ],
    });
    expect((await to('concluded')).body).toMatchObject({
      experiment: { revision: 4, document: { status: 'concluded', winner: 'A' } },
    });
    expect(await keysOf()).toContain(key);
  });

  test('a draft is archived and comes back as a draft', async () => {
    const key = newKey();
    await create(url, { key, status: 'draft' });
    const to = (status: string) =>
      manage<Change>(url, `POST /experiments/${key}/status`, { status, reason: 'so' });
    const { body } = await to('archived');
    expect(body.experiment.document.status).toBe('archived');
    expect(body.warnings).toBeUndefined();
    expect((await to('concluded')).status).toBe(422);
    expect((await to('draft')).body.experiment.document.status).toBe('draft');
  });

  test('who gets no visitor is told, when it begins and when it is resumed', async () => {
    const [first, second] = [newKey(), newKey()];
    const scope = { paths: [`/${first}/**`] };
    await create(url, { key: first, scope });
    const warning =
      `${second} gets no visitor: every page of it is in the scope of ${first} (running), which comes first. ` +
      `Give ${second} a higher priority, give both a layer with slots of their own, or narrow the scope of ${first}.`;
    const created = await create(url, { key: second, scope, status: 'draft' });
    expect(created.body.warnings).toEqual([warning]);
    const status = (value: string, dryRun = false) =>
      manage<Change>(url, `POST /experiments/${second}/status`, {
        status: value,
        reason: 'so',
        dryRun,
      });
    expect((await status('running', true)).body.warnings).toEqual([warning]);
    expect((await status('running')).body.warnings).toEqual([warning]);

    // The other way round once it has the higher priority.
    const document = experimentDocument({ key: second, scope, priority: 1 });
    const { body } = await manage<Change>(url, `PUT /experiments/${second}`, {
      document,
      revision: 2,
      reason: 'first',
    });
    expect(body.warnings).toEqual([expect.stringContaining(`${first} gets no visitor`)]);
    const applied = await manage<ApplyResult>(url, 'POST /apply', {
      experiments: [experimentDocument({ key: second, scope: { paths: [`/${second}`] } })],
      reason: 'apart',
    });
    expect(applied.body.changes[0]?.warnings).toBeUndefined();
  });
});
