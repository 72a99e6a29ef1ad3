import type {
  ApplyResult,
  AuditLog,
  Change,
  ExperimentList,
  ExperimentRecord,
  History,
} from '@turnout/contracts/management';
import { beforeAll, expect, test } from 'vitest';
import { endOfSuite, startApi } from '../testing/api-process.ts';
import { describeDatabases } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { create, newKey, startManaged, weights } from '../testing/managed-api.ts';
import { TOKENS, manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

describeDatabases('managing experiments', (kind) => {
  /** Two processes on one database, for all tests that use a key of their own. */
  let url: string;
  let other: string;
  const until = endOfSuite();
  beforeAll(async () => {
    const started = await startManaged(kind, { until });
    url = started.url;
    other = await startApi(started.environment, { until }).url;
  }, 60_000);

  test('creates, shows, lists and replaces them', async () => {
    const { url: fresh } = await startManaged(kind);
    expect((await manage<ExperimentList>(fresh, 'GET /experiments')).body).toEqual({
      experiments: [],
      published: { revision: 0 },
    });
    const created = await create(fresh, { revision: 77 });
    expect(created.status).toBe(201);
    expect(created.headers.get('Location')).toBe('/v1/experiments/home');
    expect(created.headers.get('ETag')).toBe('"1"');
    expect(created.body).toMatchObject({
      dryRun: false,
      diff: [],
      preview: { slotsMoved: 0, moves: [] },
      published: { revision: 1, publishedAt: expect.any(String) },
    });

    const shown = await manage<ExperimentRecord>(fresh, 'GET /experiments/home');
    expect(shown.status).toBe(200);
    expect(shown.headers.get('ETag')).toBe('"1"');
    expect(shown.body).toEqual(created.body.experiment);
    expect(shown.body).toMatchObject({
      key: 'home',
      revision: 1,
      author: 'admin',
      reason: 'begin',
      document: { revision: 1, variants: [{ slots: [[0, 5000]] }, { slots: [[5000, 10_000]] }] },
    });
    const same = await manage(fresh, 'GET /experiments/home', undefined, {
      headers: { 'If-None-Match': '"1"', 'Cache-Control': 'max-age=0' },
    });
    expect(same.status).toBe(304);

    const document = experimentDocument({ title: 'Which home?', revision: 9 });
    const replaced = await manage<Change>(
      fresh,
      'PUT /experiments/home',
      { document, revision: 1, reason: 'name it' },
      { token: TOKENS.editor },
    );
    expect(replaced.status).toBe(200);
    expect(replaced.headers.get('ETag')).toBe('"2"');
    expect(replaced.body).toMatchObject({
      action: 'change',
      diff: [{ path: ['title'], after: 'Which home?' }],
      experiment: { revision: 2, author: 'eve', createdAt: shown.body.createdAt },
      published: { revision: 2 },
    });
    const { body } = await manage<ExperimentList>(fresh, 'GET /experiments');
    expect(body.experiments).toEqual([replaced.body.experiment]);
    expect(body.published).toEqual(replaced.body.published);
  });

  test('a change from a revision that has moved on gets 409 with what stands', async () => {
    const key = newKey();
    await create(url, { key });
    const allocation = { ...weights(60, 40), revision: 1 };
    const won = await manage<Change>(url, `POST /experiments/${key}/allocation`, allocation);
    expect(won.status).toBe(200);
    for (const [request, body] of [
      [`POST /experiments/${key}/allocation`, allocation],
      [
        `PUT /experiments/${key}`,
        { document: experimentDocument({ key }), revision: 1, reason: 'x' },
      ],
      [`POST /experiments/${key}/revert`, { revision: 1, to: 1, reason: 'x' }],
      [`POST /experiments/${key}/revert`, { revision: 99, reason: 'x' }],
      [`POST /experiments/${key}/status`, { status: 'paused', revision: 1, reason: 'x' }],
      [
        'POST /apply',
        { experiments: [experimentDocument({ key })], revisions: { [key]: 1 }, reason: 'x' },
      ],
      ['POST /experiments', { document: experimentDocument({ key }), reason: 'x' }],
    ] as const) {
      const lost = await manage<ManagementProblem>(url, request, body);
      expect([request, lost.status]).toEqual([request, 409]);
      expect(lost.headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
      expect(lost.body.current).toEqual(won.body.experiment);
      expect(lost.body.detail).toMatch(/revision 2/);
    }
    // A kill is not held up.
    const killed = await manage<Change>(url, `POST /experiments/${key}/status`, {
      status: 'killed',
      revision: 1,
      reason: 'it burns',
    });
    expect(killed.body.experiment).toMatchObject({ revision: 3, document: { status: 'killed' } });
  });

  test('of 20 changes from one revision exactly one wins, over two processes', async () => {
    const key = newKey();
    await create(url, { key });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        manage<Change>(index % 2 === 0 ? url : other, `POST /experiments/${key}/allocation`, {
          ...weights(30 + index, 70 - index),
          revision: 1,
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    const winner = answers.find(({ status }) => status === 200);
    const { body } = await manage<ExperimentRecord>(other, `GET /experiments/${key}`);
    expect(body).toEqual(winner?.body.experiment);
    const history = await manage<History>(url, `GET /experiments/${key}/history`);
    expect(history.body.revisions).toHaveLength(2);
  });

  test('changes of different experiments at once all succeed, over two processes', async () => {
    const keys = Array.from({ length: 12 }, newKey);
    const answers = await Promise.all(
      keys.map((key, index) =>
        manage<Change>(index % 2 === 0 ? url : other, 'POST /experiments', {
          document: experimentDocument({ key }),
          reason: 'many',
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const { body } = await manage<ExperimentList>(url, 'GET /experiments');
    expect(body.experiments.map(({ key }) => key)).toEqual(expect.arrayContaining(keys));
    expect(body.published.revision).toBeGreaterThanOrEqual(12);
  });

  test('two at once can not take the same slots of a layer, over two processes', async () => {
    const layer = { name: newKey(), slots: [0, 6000] };
    const answers = await Promise.all(
      [url, other].map((at) =>
        manage<Change>(at, 'POST /experiments', {
          document: experimentDocument({ key: newKey(), layer }),
          reason: 'both',
        }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422]);
  });

  test('a restart keeps experiments, history and audit, and publishes nothing anew', async () => {
    const { url: fresh, api, environment } = await startManaged(kind);
    await create(fresh);
    await manage(fresh, 'POST /experiments/home/allocation', { ...weights(60, 40), revision: 1 });
    const paths = ['/experiments', '/experiments/home/history', '/audit'];
    const read = (at: string) =>
      Promise.all(paths.map(async (path) => (await manage(at, `GET ${path}`)).body));
    const before = await read(fresh);
    api.kill('SIGTERM');
    expect(await api.ended).toMatchObject({ code: 0 });
    const again = await startApi(environment).url;
    await expect.poll(() => read(again)).toEqual(before);
  });

  test('what is applied as new takes the place of nothing', async () => {
    const key = newKey();
    const apply = (title: string) =>
      manage<ManagementProblem>(url, 'POST /apply', {
        experiments: [experimentDocument({ key, title })],
        revisions: { [key]: 0 },
        reason: 'from a file',
      });
    expect((await apply('mine')).status).toBe(200);
    const late = await apply('theirs');
    expect([late.status, late.body.detail]).toEqual([
      409,
      expect.stringContaining('is there already, at revision 1'),
    ]);
    expect(late.body.current).toMatchObject({ revision: 1, document: { title: 'mine' } });
  });

  test('a revert brings the earlier document back as a new revision', async () => {
    const key = newKey();
    const { body: first } = await create(url, { key });
    await manage(url, `POST /experiments/${key}/allocation`, { ...weights(80, 20), revision: 1 });
    const changed = experimentDocument({ key, title: 'Other', coverage: 500 });
    await manage(url, `PUT /experiments/${key}`, { document: changed, revision: 2, reason: 'x' });

    const one = await manage<Change>(url, `POST /experiments/${key}/revert`, {
      revision: 3,
      reason: 'back',
    });
    expect(one.body.experiment).toMatchObject({
      revision: 4,
      reason: 'back',
      document: { coverage: 10_000, variants: [{ weight: 80 }, { weight: 20 }] },
    });
    const all = await manage<Change>(url, `POST /experiments/${key}/revert`, {
      revision: 4,
      to: 1,
      reason: 'to the start',
    });
    expect(all.body.experiment.document).toEqual({ ...first.experiment.document, revision: 5 });
    const { body } = await manage<History>(url, `GET /experiments/${key}/history`);
    expect(body.revisions.map(({ revision, reason }) => [revision, reason])).toEqual([
      [5, 'to the start'],
      [4, 'back'],
      [3, 'x'],
      [2, 'shift'],
      [1, 'begin'],
    ]);
    expect(body.revisions[0]?.diff).toEqual(all.body.diff);
    expect(body.revisions[4]?.diff).toEqual([]);
    const page = await manage<History>(url, `GET /experiments/${key}/history?limit=1&before=3`);
    expect(page.body.revisions).toEqual([body.revisions[3]]);
  });

  test('a file is applied as a whole or not at all, as one snapshot', async () => {
    const [first, second, third, fourth] = [newKey(), newKey(), newKey(), newKey()];
    await create(url, { key: first });
    const snapshot = async () =>
      (await manage<ExperimentList>(url, 'GET /experiments')).body.published.revision;
    const before = await snapshot();
    const file = [
      experimentDocument({ key: first, title: 'Named' }),
      experimentDocument({ key: second }),
      experimentDocument({ key: third }),
    ];
    const broken = [
      ...file,
      experimentDocument({
        key: fourth,
        status: 'concluded',
        winner: 'A',
        scope: { paths: ['/a**b'] },
      }),
    ];
    const refused = await manage<ManagementProblem>(url, 'POST /apply', {
      experiments: broken,
      reason: 'deploy',
    });
    expect(refused.status).toBe(422);
    expect(refused.body.errors?.map(({ field }) => field)).toEqual([
      'experiments[3].scope.paths[0]',
    ]);
    expect(await snapshot()).toBe(before);

    const trial = await manage<ApplyResult>(url, 'POST /apply', {
      experiments: file,
      reason: 'deploy',
      dryRun: true,
    });
    expect(trial.body.changes.map(({ action, dryRun }) => [action, dryRun])).toEqual([
      ['change', true],
      ['create', true],
      ['create', true],
    ]);
    expect(await snapshot()).toBe(before);

    const applied = await manage<ApplyResult>(url, 'POST /apply', {
      experiments: file,
      reason: 'deploy',
    });
    expect(
      applied.body.changes.map(({ action, published }) => [action, published.revision]),
    ).toEqual([
      ['change', before + 1],
      ['create', before + 1],
      ['create', before + 1],
    ]);
    // In a new phase those stay that the file does not change.
    const again = await manage<ApplyResult>(url, 'POST /apply', {
      experiments: file,
      reason: 'deploy',
      meaning: 'new-phase',
    });
    expect(again.body.changes.map(({ action }) => action)).toEqual(['none', 'none', 'none']);
  });

  test('others are answered while a large file is applied', async () => {
    const experiments = Array.from({ length: 400 }, (_, at) =>
      experimentDocument({
        key: `${newKey()}-${at}`,
        audience: {
          not: { any: Array.from({ length: 100 }, (__, k) => ({ query: { name: `q${k}` } })) },
        },
      }),
    );
    const applying = { isOver: false };
    const applied = manage<ApplyResult>(url, 'POST /apply', { experiments, reason: 'deploy' });
    void applied.finally(() => (applying.isOver = true));
    let answered = 0;
    while (!applying.isOver) {
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      if (!applying.isOver) answered++;
    }
    expect((await applied).body.changes.map(({ experiment }) => experiment.key)).toEqual(
      experiments.map(({ key }) => key),
    );
    expect(answered).toBeGreaterThan(3);
    const killed = await manage<Change>(url, `POST /experiments/${experiments[7]?.key}/status`, {
      status: 'killed',
      reason: 'too hot',
    });
    expect(killed.body).toMatchObject({ action: 'change', experiment: { revision: 2 } });
  });

  test('what is wrong with a file is told of all its documents, and of the rest', async () => {
    const { status, body } = await manage<ManagementProblem>(url, 'POST /apply', {
      experiments: [
        experimentDocument({ key: newKey() }),
        { ...experimentDocument({ key: newKey() }), phase: 0 },
        { ...experimentDocument({ key: newKey() }), title: 'x'.repeat(1_100_000) },
        null,
      ],
      meaning: 'none',
    });
    expect(status).toBe(422);
    expect(body.errors?.map(({ field }) => field)).toEqual([
      'experiments[1].phase',
      'experiments[2].title',
      'experiments[2]',
      'experiments[3]',
      'reason',
      'meaning',
    ]);
    expect(body.errors?.[2]?.message).toMatch(
      /^expected at most 1048576 bytes of JSON, got 110\d{4}$/,
    );
  });

  test('a body that is too large is told what to do', async () => {
    const answers = await Promise.all([
      manage<ManagementProblem>(url, 'POST /experiments', { document: 'x'.repeat(1_100_000) }),
      manage<ManagementProblem>(url, 'POST /apply', { experiments: ['x'.repeat(34_000_000)] }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([413, 413]);
    expect(answers.map(({ body }) => body.detail)).toEqual(
      ['1 MB', '32 MB'].map(
        (most) =>
          `The body is larger than ${most}. Send less at once: of a file of experiments, some first, then the others.`,
      ),
    );
  });

  test('the audit says who did what', async () => {
    const key = newKey();
    await create(url, { key });
    await manage(
      url,
      `POST /experiments/${key}/status`,
      { status: 'paused', reason: 'lunch' },
      { token: TOKENS.editor },
    );
    await manage(
      url,
      `POST /experiments/${key}/preview`,
      { variant: 'A' },
      { token: TOKENS.editor },
    );
    const { body } = await manage<AuditLog>(url, 'GET /audit');
    expect(
      body.rows
        .filter(({ subject }) => subject === key)
        .map(({ author, action, reason }) => ({ author, action, reason })),
    ).toEqual([
      {
        author: 'eve',
        action: 'experiment.preview',
        reason: expect.stringMatching(/^A on \/ until \d{4}-/),
      },
      { author: 'eve', action: 'experiment.change', reason: 'lunch' },
      { author: 'admin', action: 'experiment.create', reason: 'begin' },
    ]);
    const page = await manage<AuditLog>(url, 'GET /audit?limit=1');
    expect(page.body.rows).toEqual(body.rows.slice(0, 1));
  });
});
