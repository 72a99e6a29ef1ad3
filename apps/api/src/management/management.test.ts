import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  ApplyResult,
  AuditLog,
  Change,
  ExperimentList,
  ExperimentRecord,
  History,
  PreviewLink,
} from '@turnout/contracts/management';
import { readPreview } from '@turnout/router-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { endOfSuite, startApi } from '../testing/api-process.ts';
import type { ApiProcess, ApiProcessOptions } from '../testing/api-process.ts';
import { describeDatabases, temporaryFolders } from '../testing/databases.ts';
import type { DatabaseKind } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { TOKENS, TOKEN_ENVIRONMENT, manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

const folders = temporaryFolders();
const UPSTREAMS = {
  wordpress: { url: 'http://127.0.0.1:4003' },
  next: { url: 'http://127.0.0.1:4001' },
  vue: { url: 'http://127.0.0.1:4002' },
};
const SECRET = 'sixteen-or-more-characters';

interface Started {
  readonly url: string;
  readonly api: ApiProcess;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The API on an empty database, with a turnout.yaml of its own. */
async function start(
  kind?: DatabaseKind,
  {
    config = {},
    ...options
  }: ApiProcessOptions & { config?: Readonly<Record<string, unknown>> } = {},
): Promise<Started> {
  const location = kind && (await kind.fresh());
  const dataFolder = location?.dataFolder ?? (await folders.make());
  const file = join(dataFolder, 'turnout.yaml');
  await writeFile(
    file,
    stringify({
      public: { url: 'https://shop.example' },
      upstreams: UPSTREAMS,
      default: 'wordpress',
      ...config,
    }),
  );
  const environment = {
    ...TOKEN_ENVIRONMENT,
    TURNOUT_CONFIG: file,
    TURNOUT_DATA_DIR: dataFolder,
    TURNOUT_MYSQL_URL: location?.mysqlUrl,
    TURNOUT_COOKIE_SECRETS: SECRET,
  };
  const api = startApi(environment, options);
  return { url: await api.url, api, environment };
}

async function create(url: string, changes: Readonly<Record<string, unknown>> = {}) {
  const document = experimentDocument(changes);
  const answer = await manage<Change>(url, 'POST /experiments', { document, reason: 'begin' });
  expect(answer.body.action).toBe('create');
  return answer;
}

let number = 0;
/** A key that no other test has. */
const newKey = () => `e${++number}`;

const weights = (control: number, A: number) => ({ weights: { control, A }, reason: 'shift' });

describeDatabases('managing experiments', (kind) => {
  /** Two processes on one database, for all tests that use a key of their own. */
  let url: string;
  let other: string;
  const until = endOfSuite();
  beforeAll(async () => {
    const started = await start(kind, { until });
    url = started.url;
    other = await startApi(started.environment, { until }).url;
  }, 60_000);

  test('creates, shows, lists and replaces them', async () => {
    const { url: fresh } = await start(kind);
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
    const { url: fresh, api, environment } = await start(kind);
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

describe('on one process', () => {
  let url: string;
  const until = endOfSuite();
  beforeAll(async () => {
    ({ url } = await start(undefined, { until }));
  }, 60_000);

  describe('what is refused', () => {
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
      const {
        status,
        headers,
        body: problem,
      } = await manage<ManagementProblem>(url, request, body);
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
});
