import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Explanation } from '@turnout/contracts/explanation';
import type {
  ApplyResult,
  Change,
  Erasure,
  ExperimentList,
  ExperimentRecord,
  History,
  PreviewLink,
  VisitorAssignments,
} from '@turnout/contracts/management';
import type { RampState } from '@turnout/contracts/ramp';
import type { Simulation } from '@turnout/router-core';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type ApiProcess } from '../kit/api-process.ts';
import { CLI, cleanEnv, runTurnout, startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { CTRL_C, runOnTerminal, type Answer } from '../kit/pseudo-terminal.ts';

const VIEWER = 'token-of-a-viewer-0001';
const EDITOR = 'token-of-an-editor-001';
const VISITOR = 'AAAAAAAAAAAAAAAAAAAAAA';

const experiment = (key: string) => ({
  key,
  status: 'running',
  scope: { paths: [`/${key}/**`] },
  variants: [
    { key: 'control', upstream: 'site', weight: 50, control: true },
    { key: 'A', upstream: 'site', weight: 20 },
    { key: 'B', upstream: 'site', weight: 30 },
  ],
});

/** One for each part of the tests, so that none waits for another's revisions. */
const SEEDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

let api: ApiProcess;
beforeAll(async () => {
  api = await startApi(
    {
      upstreams: { site: { url: 'http://127.0.0.1:9' } },
      default: 'site',
      experiments: SEEDS.map(experiment),
    },
    { TURNOUT_API_TOKENS: `vera:viewer:${VIEWER},edgar:editor:${EDITOR}` },
  );
});
afterAll(() => api?.remove());

/** As an operator types it beside turnout.yaml: API and token are found in the data folder. */
const turnout = (args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') =>
  runTurnout(args, env, { cwd: api.folder, input });

/** The whole answer of a command that must succeed; standard output must hold nothing else. */
async function json<Whole>(...args: readonly string[]): Promise<Whole> {
  const { code, stdout, stderr } = await turnout([...args, '--json']);
  expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout);
}

const because = ['--yes', '--reason', 'a test'];
const record = (key: string) => json<ExperimentRecord>('get', key);
const file = (name: string) => join(api.folder, name);

describe('get', () => {
  test('lists experiments in a table, as JSON, and by their keys', async () => {
    const { code, stdout } = await turnout(['get']);
    expect(code).toBe(0);
    const [titles, first] = stdout.split('\n');
    expect(titles).toMatch(/^KEY +STATUS +SPLIT +COVERAGE +PHASE +REVISION +UPDATED +BY$/);
    expect(first).toMatch(
      /^alpha +running +control 50 \/ A 20 \/ B 30 +100 % +1 +1 +[\d-]+ [\d:]+ UTC +turnout\.yaml$/,
    );
    const { experiments } = await json<ExperimentList>('get');
    expect(experiments.map(({ key }) => key)).toEqual(SEEDS.toSorted());
    expect((await turnout(['get', '--keys'])).stdout).toBe(`${SEEDS.toSorted().join('\n')}\n`);
  });

  test('shows one as a document that apply takes', async () => {
    const { stdout } = await turnout(['get', 'alpha']);
    expect(parse(stdout)).toMatchObject({ ...experiment('alpha'), revision: 1, phase: 1 });
    const { code, stdout: told } = await turnout(['apply', '-f', '-', ...because], {}, stdout);
    expect([code, told]).toEqual([0, 'Nothing would change.\n']);
  });
});

test('the loop of a repository: get, edit, diff, apply, history, revert', async () => {
  const document = file('alpha.yaml');
  const { stdout } = await turnout(['get', 'alpha']);
  await writeFile(
    document,
    stdout.replace('weight: 20', 'weight: 40').replace('weight: 30', 'weight: 10'),
  );

  const diff = await turnout(['diff', '-f', document]);
  expect(diff.code).toBe(1);
  expect(diff.stdout).toContain('weight of A: 20 % → 40 %\n  weight of B: 30 % → 10 %\n');
  expect(diff.stdout).toContain('20 % of new visitors would get another variant than before.');

  const refused = await turnout(['apply', '-f', document]);
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain('there is no terminal to ask on: add --yes');
  const unexplained = await turnout(['apply', '-f', document, '--yes']);
  expect([unexplained.code, unexplained.stdout]).toEqual([2, '']);
  expect(unexplained.stderr).toContain('Expected --reason TEXT');
  const dry = await turnout(['apply', '-f', document, '--dry-run']);
  expect([dry.code, dry.stdout.trimEnd().split('\n').at(-1)]).toEqual([
    0,
    'Nothing was changed: this was a dry run.',
  ]);
  expect((await record('alpha')).revision).toBe(1);

  const applied = await json<ApplyResult>(
    'apply',
    '-f',
    document,
    ...because,
    '--meaning',
    'move-fewest',
  );
  expect(applied.changes.map(({ action, dryRun }) => [action, dryRun])).toEqual([
    ['change', false],
  ]);
  expect((await record('alpha')).document.variants.map(({ weight }) => weight)).toEqual([
    50, 40, 10,
  ]);

  const history = await turnout(['history', 'alpha']);
  expect(history.stdout).toMatch(
    /^revision 2 {2}[\d-]+ [\d:]+ UTC {2}admin {2}\(move-fewest\)\n {2}a test\n {4}weight of A: 20 % → 40 %\n/,
  );
  expect(history.stdout).toMatch(/\n\nrevision 1 .* turnout\.yaml\n {2}seed\n$/);

  const reverted = await turnout(['revert', 'alpha', ...because]);
  expect(reverted.stdout).toContain('weight of A: 40 % → 20 %');
  expect(reverted.stdout).toMatch(/alpha is at revision 3 now\.\n$/);
  const third = await json<Change>('revert', 'alpha', '--to', '2', ...because);
  expect(third.experiment.revision).toBe(4);
  const { revisions } = await json<History>('history', 'alpha');
  expect(revisions.map(({ revision }) => revision)).toEqual([4, 3, 2, 1]);
  const older = await json<History>('history', 'alpha', '--before', '3');
  expect(older.revisions.map(({ revision }) => revision)).toEqual([2, 1]);
  const none = await turnout(['history', 'alpha', '--before', '1']);
  expect(none.stdout).toBe('There are no older revisions.\n');
});

test('a change that comes late is refused, and told what came before', async () => {
  const { stdout } = await turnout(['get', 'beta']);
  const late = file('late.yaml');
  await writeFile(late, stdout.replace('running', 'paused'));
  await turnout(
    ['allocate', 'beta', 'control=60', 'A=10', 'B=30', '--yes', '--reason', 'came first'],
    {
      TURNOUT_TOKEN: EDITOR,
    },
  );
  const { code, stderr } = await turnout(['apply', '-f', late, ...because]);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^error: Experiment "beta" is at revision 2, the change was made from 1\. .*\n {2}revision 2 is by edgar, [\d-]+ [\d:]+ UTC: came first\n {2}turnout history beta shows what changed, turnout get beta gives the document to edit anew\.\n$/,
  );
  // Without a revision the file says: whatever came between.
  await writeFile(late, stdout.replace('running', 'paused').replace('revision: 1\n', ''));
  expect((await turnout(['apply', '-f', late, ...because])).code).toBe(0);
});

describe('apply', () => {
  test('tells every problem of a file with its line, and asks nobody', async () => {
    const broken = file('broken.yaml');
    await writeFile(broken, 'key: Alpha\nstatus: on\nvariants: []\n');
    for (const command of [
      ['apply', '-f', broken, ...because],
      ['diff', '-f', broken],
    ]) {
      const { code, stdout, stderr } = await turnout(command, {
        TURNOUT_API_URL: 'http://127.0.0.1:9',
      });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('broken.yaml:1:6: key: expected lower-case letters');
      expect(stderr).toContain('broken.yaml:2:9: status: ');
      expect(stderr).toContain('broken.yaml:3:11: variants: ');
    }
  });

  test('applies all or nothing', async () => {
    const lost = {
      ...experiment('lost'),
      variants: [{ key: 'control', upstream: 'gone', weight: 100, control: true }],
    };
    const both = file('both.json');
    await writeFile(both, JSON.stringify([experiment('fresh'), lost]));
    const refused = await turnout(['apply', '-f', both, ...because]);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain(
      'experiments[1].variants[0].upstream: no upstream "gone"; there are: site',
    );
    expect((await turnout(['get', 'fresh'])).code).toBe(1);

    await writeFile(both, stringify({ experiments: [experiment('fresh'), experiment('alike')] }));
    const { code, stdout } = await turnout(['apply', '-f', both, ...because]);
    expect([code, stdout.split('\n\n')]).toEqual([
      0,
      [
        'fresh is new: running, control 50 / A 20 / B 30',
        'alike is new: running, control 50 / A 20 / B 30',
        'fresh is at revision 1 now.\nalike is at revision 1 now.\n',
      ],
    ]);
    expect(await turnout(['diff', '-f', both])).toMatchObject({
      code: 0,
      stdout: 'Nothing would change.\n',
    });
  });

  test('takes a whole turnout.yaml, and one that is not there', async () => {
    const whole = await turnout(['diff', '-f', 'turnout.yaml']);
    expect([whole.code, whole.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^Only experiments are applied\. The rest of the file \(.*upstreams.*\) is read by edge and API when they start/,
      ),
    ]);
    const part = { ...experiment('partly'), status: 'draft', coverage: 50 };
    await writeFile(file('part.json'), JSON.stringify(part));
    const { stdout, stderr: silent } = await turnout(['diff', '-f', 'part.json']);
    expect(silent).toBe('');
    expect(stdout).toMatch(/^partly is new: draft, .*, coverage 0\.5 %\n {2}Warning: /);
    expect(stdout).toContain('If 50 % was meant, write 5000.');
    const { code, stderr } = await turnout(['diff', '-f', 'none.yaml']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: Can't read none\.yaml: /)]);
  });
});

test('allocate, pause, resume, kill and conclude', async () => {
  const weights = ['control=20', 'A=40', 'B=40'];
  const allocated = await json<Change>(
    'allocate',
    'gamma',
    ...weights,
    '--meaning',
    'move-fewest',
    ...because,
  );
  expect(allocated.preview.moves.map(({ from, to }) => [from, to])).toEqual([
    ['control', 'A'],
    ['control', 'B'],
  ]);
  const paused = await turnout(['pause', 'gamma', ...because]);
  expect(paused.stdout).toBe(
    'gamma\n  status: running → paused\n  Nobody new takes part; who is assigned keeps the variant.\n\n' +
      'gamma is at revision 3 now.\n',
  );
  expect((await json<Change>('pause', 'gamma', ...because)).action).toBe('none');
  expect((await json<Change>('resume', 'gamma', ...because)).experiment.document.status).toBe(
    'running',
  );
  const killed = await turnout(['kill', 'gamma', '-y']);
  expect([killed.code, killed.stdout]).toEqual([0, 'gamma is at revision 5 now.\n']);
  expect(await record('gamma')).toMatchObject({
    reason: 'killed by hand',
    document: { status: 'killed' },
  });
  expect((await turnout(['kill', 'gamma', '--dry-run'])).stdout).toBe('Nothing would change.\n');
  const concluded = await json<Change>('conclude', 'gamma', '--winner', 'B', ...because);
  expect(concluded.experiment.document).toMatchObject({ status: 'concluded', winner: 'B' });

  const unknown = await turnout(['conclude', 'gamma', '--winner', 'Z', ...because]);
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('no variant "Z"; there are control, A, B'),
  ]);
});

const asked = (args: readonly string[], answers: readonly Answer[]) =>
  runOnTerminal(args, answers, { cwd: api.folder });

test('ramp: started, looked at, stopped', async () => {
  const steps = ['1%:1h', '5%:90m', '100%'];
  const dry = await turnout(['ramp', 'alike', ...steps, '--dry-run']);
  expect(dry.stdout).toContain('\n  1 % for 1h\n  5 % for 90m\n  100 %\n');
  expect((await turnout(['ramp', 'alike', '--status'])).code).toBe(1);

  const started = await json<RampState>(
    'ramp',
    'alike',
    ...steps,
    '--error-rate',
    '0.5',
    ...because,
  );
  expect(started).toMatchObject({
    // There is no edge that could decide by it.
    status: 'holding',
    step: 0,
    steps: [
      { coverage: 100, for: 3_600_000 },
      { coverage: 500, for: 5_400_000 },
      { coverage: 10_000 },
    ],
    gates: { errorRate: 0.5 },
  });
  const { document } = await record('alike');
  expect(document.coverage).toBe(100);
  const seen = await turnout(['ramp', 'alike', '--status']);
  expect(seen.stdout).toMatch(/\n {2}→ 1 % for 1h, since [\d-]+ [\d:]+ UTC/);
  const stop = await turnout(['ramp', 'alike', '--stop', '--dry-run']);
  expect(stop.stdout).toContain(
    'The ramp of alike would end at step 1 of 3.\n  The coverage would stay at 1 %.\n',
  );
  expect(await json<RampState>('ramp', 'alike', '--stop', '--yes')).toMatchObject({
    status: 'stopped',
  });
  expect((await turnout(['ramp', 'alike', '--stop', '--yes'])).stdout).toBe(
    'Nothing would change.\n',
  );
});

describe('on a terminal', () => {
  test('a change is shown, explained and confirmed', async () => {
    const { code, shown } = await asked(
      ['allocate', 'delta', 'control=40', 'A=30', 'B=30'],
      [
        ['Change the weights of delta? [y/N] ', 'y\r'],
        ['Why? It stands in the history: ', 'more for A\r'],
      ],
    );
    expect([code, shown]).toEqual([0, expect.stringContaining('weight of A: 20 % → 30 %')]);
    expect(await record('delta')).toMatchObject({ revision: 2, reason: 'more for A' });
  });

  test.each([
    ['no', 'n\r'],
    ['nothing', '\r'],
    ['the end of the input', '\u0004'],
  ])('%s as the answer changes nothing', async (_, typed) => {
    const { code, shown } = await asked(['kill', 'delta'], [['now? [y/N] ', typed]]);
    expect([code, shown]).toEqual([1, expect.stringContaining('error: Nothing was changed.')]);
    expect((await record('delta')).revision).toBe(2);
  });

  test('Ctrl-C at a question changes nothing', async () => {
    const { code, shown } = await asked(['kill', 'delta'], [['now? [y/N] ', CTRL_C]]);
    expect([code, shown]).toEqual([130, expect.stringMatching(/Interrupted\.\s+$/)]);
    expect((await record('delta')).revision).toBe(2);
  });

  test('tables keep to its width', async () => {
    const { shown } = await runOnTerminal(['get'], [], { cwd: api.folder, columns: 80 });
    const lines = shown.trimEnd().split(/\r\n/);
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
    expect(lines[1]).toContain('…');
  });
});

/** The experiment as another weight would make it. */
const changed = async () => {
  const document = experiment('epsilon');
  const variants = document.variants.map((variant) =>
    variant.key === 'B' ? variant : { ...variant, weight: variant.key === 'A' ? 40 : 30 },
  );
  await writeFile(file('changed.yaml'), stringify({ ...document, variants }));
};

describe('simulate', () => {
  test('shows the split and who would move, against what is live', async () => {
    await changed();
    const args = [
      'simulate',
      '-f',
      'changed.yaml',
      '--visitors',
      '5000',
      '--meaning',
      'move-fewest',
    ];
    const { code, stdout } = await turnout(args);
    expect([code, stdout.split('\n')[0]]).toEqual([
      0,
      '5,000 made-up visitors (seed 1), each on every page',
    ]);
    const [, epsilon = ''] = /\nepsilon\n([^]*?)(?:\n\n|$)/.exec(stdout) ?? [];
    const shareOf = (variant: string) =>
      new RegExp(`^ +${variant} +([\\d.]+) % +([\\d.]+) % +([\\d.]+) %$`, 'm')
        .exec(epsilon)
        ?.slice(1)
        .map(Number);
    // Six standard errors of a share of 5,000 draws are at most 4.3 points.
    for (const [variant, shares] of [
      ['control', [50, 30, 30]],
      ['A', [20, 40, 40]],
      ['B', [30, 30, 30]],
    ] as const) {
      const seen = shareOf(variant) ?? [];
      expect(seen.map((share, index) => Math.abs(share - (shares[index] ?? 0)) < 4.3)).toEqual([
        true,
        true,
        true,
      ]);
    }
    expect(epsilon).toMatch(
      /would move:\n +FROM +TO +VISITORS +OF FROM\n +control +A +[\d,]+ +[\d.]+ %\n?$/,
    );
    expect((await turnout(args)).stdout).toBe(stdout);
  });

  test('replays an access log, and says what it can not know', async () => {
    await changed();
    const lines = Array.from({ length: 300 }, (_, n) => ({
      msg: 'request',
      method: 'GET',
      host: 'localhost',
      path: n % 3 === 0 ? '/epsilon/1' : '/elsewhere',
      visitor: (n % 100).toString(16).padStart(16, '0'),
    }));
    await writeFile(file('edge.log'), lines.map((entry) => JSON.stringify(entry)).join('\n'));
    const args = ['simulate', '-f', 'changed.yaml', '--access-log', 'edge.log'];
    const { stdout } = await turnout(args);
    expect(stdout).toMatch(
      /^100 visitors with 300 requests in edge\.log\nThe log has no visitor ids/,
    );
    const { simulation } = await json<{ simulation: Simulation }>(
      ...args,
      '--against',
      'turnout.yaml',
    );
    expect(simulation.experiments.find((one) => one.experiment === 'epsilon')).toMatchObject({
      visitors: 100,
      moved: 0,
    });
    const none = await turnout(['simulate', '-f', 'changed.yaml', '--access-log', 'none.log']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("Can't read none.log")]);
    const other = ['simulate', '-f', 'changed.yaml', '--access-log', 'changed.yaml'];
    expect(await turnout(other)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('No request of a visitor in changed.yaml'),
    });
  });

  test('Ctrl-C ends it', async () => {
    await changed();
    const { code, shown } = await asked(
      ['simulate', '-f', 'changed.yaml', '--visitors', '5000000'],
      [['requests', CTRL_C]],
    );
    expect([code, shown]).toEqual([130, expect.stringMatching(/Interrupted\.\s+$/)]);
  });
});

test('preview: a link with its end', async () => {
  const { code, stdout } = await turnout([
    'preview',
    'alpha',
    'B',
    '--path',
    '/alpha/x',
    '--for',
    '2h',
  ]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(
      /^http:\/\/localhost:8080\/_turnout\/preview\?token=p1\.alpha:B\.\S+\nIt shows B until [\d-]+ [\d:]+ UTC, wherever alpha is about the page, and is not counted\.\nTo end it before: http:\/\/localhost:8080\/_turnout\/preview\?off\n$/,
    ),
  ]);
  const { expiresAt } = await json<PreviewLink>('preview', 'alpha', 'B', '--for', '30d');
  expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(29 * 86_400_000);
});

test('reassign and forget: one visitor', async () => {
  const reassigned = await turnout(['reassign', VISITOR, 'epsilon', 'B', ...because]);
  expect(reassigned.stdout).toBe(
    `${VISITOR}\n  epsilon: none → B\n\n${VISITOR} has B of epsilon now.\n`,
  );
  const again = await json<VisitorAssignments>('reassign', VISITOR, 'epsilon', 'B', ...because);
  expect(again.assignments).toEqual([
    { experiment: 'epsilon', variant: 'B', phase: 1, revision: 1 },
  ]);
  expect((await turnout(['forget', VISITOR, '--dry-run'])).stdout).toContain(
    '  the assignment to B of epsilon, phase 1',
  );
  const unknown = await turnout(['reassign', VISITOR, 'epsilon', 'Z', '--dry-run']);
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    'error: epsilon has no variant "Z"; there are control, A, B.\n',
  ]);
  expect((await turnout(['reassign', VISITOR, 'epsilom', 'B', '--dry-run'])).code).toBe(1);
  expect((await turnout(['reassign', 'nobody', 'epsilon', 'B', '--dry-run'])).code).toBe(1);
  const { erased } = await json<Erasure>('forget', VISITOR, '--yes');
  expect(erased).toMatchObject({ assignments: 1 });
  const dashed = await turnout(['forget', '--yes', '--', '-AAAAAAAAAAAAAAAAAAAAA']);
  expect(dashed.code).toBe(0);
});

describe('explain', () => {
  let upstreams: LightUpstreams;
  let edge: EdgeProcess;
  beforeAll(async () => {
    upstreams = await startLightUpstreams(['site']);
    edge = await startEdge({
      config: {
        upstreams: upstreams.config,
        default: 'site',
        experiments: [{ ...experiment('plans'), audience: { not: { cookie: { name: 'staff' } } } }],
      },
      workers: 1,
    });
  });
  afterAll(async () => {
    await edge?.remove();
    await upstreams?.close();
  });

  test('tells the way of a request, rule by rule', async () => {
    const { code, stdout } = await turnout(['explain', '/plans/1', '--edge', edge.privateUrl]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^GET localhost\/plans\/1\nnavigation, /),
    ]);
    expect(stdout).toMatch(/\nexperiment +"plans" \(running\) is about this request/);
    expect(stdout).toMatch(/[├└] ✗ cookie staff is there {2}\(has nothing\)\n/);
    expect(stdout).toMatch(
      /\n→ upstream of the variant that is drawn, experiment plans, counted\n$/,
    );
    // It was a question: the upstream has heard of nothing.
    expect(upstreams.lastHeaders.size).toBe(0);
  });

  test('with cookies, headers and a method of its own', async () => {
    const env = { TURNOUT_PRIVATE_URL: edge.privateUrl };
    const args = ['explain', `${edge.url}/plans/1`, '--cookie', 'staff=1', '--method', 'HEAD'];
    const { stdout } = await turnout(args, env);
    expect(stdout).toMatch(/^HEAD 127\.0\.0\.1/);
    expect(stdout).toMatch(/\nexperiment +"plans" .* its audience does not take it/);
    expect(stdout).toMatch(/[├└] ✓ cookie staff is there/);
    expect(stdout).toMatch(/\n→ upstream site, not counted\n$/);
    const { code, stdout: whole } = await turnout([...args, '--json'], env);
    const explanation: Explanation = JSON.parse(whole);
    expect([code, explanation.outcome.upstream]).toEqual([0, 'site']);
    const fetched = await turnout(['explain', '/plans/1', '--header', 'Sec-Fetch-Mode: cors'], env);
    expect(fetched.stdout).toMatch(/not counted\n$/);
  });

  test.each([
    ['plans', 'Expected a path such as /plans'],
    ['htp://localhost/', 'Expected a path such as /plans'],
    ['/plans --method GTE', 'Expected one of GET'],
    ['/plans --cookie staff', "Expected a cookie such as 'turnout=1.…'"],
    ['/plans --header staff', "Expected a header such as 'Accept-Language: de'"],
  ])('a slip of the pen is told: %s', async (args, told) => {
    const { code, stderr } = await turnout([
      'explain',
      ...args.split(' '),
      '--edge',
      edge.privateUrl,
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  });

  test('a port of something else is told from one that is out of reach', async () => {
    const { code, stderr } = await turnout(['get', '--api', edge.url]);
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining(
        `What answers at ${edge.url} is not the API of Turnout: expected JSON`,
      ),
    ]);
    expect((await turnout(['explain', '/', '--edge', 'http://127.0.0.1:9'])).code).toBe(3);
  });
});

describe('exit codes', () => {
  test('2: what can not be meant', async () => {
    const { code, stdout, stderr } = await turnout(['gte']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining("'gte'")]);
    expect((await turnout(['revert', 'alpha', '--to', 'x'])).code).toBe(2);
  });

  test('1: what the API refuses', async () => {
    const { code, stderr } = await turnout(['get', 'none']);
    expect([code, stderr]).toEqual([1, 'error: There is no experiment "none".\n']);
  });

  test('3: nobody answers', async () => {
    const away = await turnout(['get', '--api', 'http://127.0.0.1:9']);
    expect([away.code, away.stderr]).toEqual([
      3,
      expect.stringMatching(
        /^error: Can't reach the API at http:\/\/127\.0\.0\.1:9: .* Start it \(npm start; beside an edge of your own: pnpm api\), or say where it is by --api/,
      ),
    ]);
  });

  test('4: no token, an unknown one, one that may only look', async () => {
    await mkdir(file('elsewhere'), { recursive: true });
    const none = await runTurnout(['get', '--api', api.url], {}, { cwd: file('elsewhere') });
    expect([none.code, none.stderr]).toEqual([4, expect.stringContaining('No token for the API')]);
    const unknown = await turnout(['get', '--token', 'x']);
    expect([unknown.code, unknown.stderr]).toEqual([4, 'error: This token is not known.\n']);
    const viewer = { TURNOUT_TOKEN: VIEWER };
    expect((await turnout(['get'], viewer)).code).toBe(0);
    const kill = await turnout(['kill', 'alpha', '-y'], viewer);
    expect([kill.code, kill.stderr]).toEqual([
      4,
      'error: This needs the role editor; vera is viewer.\n',
    ]);
    // Like diff(1): all trouble is 2.
    expect((await turnout(['diff', '-f', 'turnout.yaml', '--token', 'x'])).code).toBe(2);
  });

  test('0: help, which names them', async () => {
    const { code, stdout } = await turnout(['--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('4  not authorised')]);
  });
});

/** What bash offers for the last word of each line, an empty one after a space. */
async function completed(lines: readonly string[]): Promise<string[][]> {
  const script = `
turnout() { "${process.execPath}" "${CLI}" "$@"; }
source <(turnout completion bash)
complete -p turnout >&2
${lines
  .map(
    (line) => `
COMP_WORDS=(${line.endsWith(' ') ? `${line} ""` : line})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_turnout
echo "\${COMPREPLY[*]}"`,
  )
  .join('\n')}
`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-uc', script], {
    cwd: api.folder,
    env: cleanEnv(),
  });
  expect(stderr).toBe('complete -F _turnout turnout\n');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

describe('completion', () => {
  test('bash completes commands, options, their values, experiments and files', async () => {
    const cases: readonly (readonly [line: string, words: unknown])[] = [
      ['turnout re', ['resume', 'results', 'revert', 'reassign']],
      ['turnout pause ', expect.arrayContaining(SEEDS)],
      ['turnout pause al', expect.arrayContaining(['alpha'])],
      ['turnout allocate --reason x be', ['beta']],
      ['turnout allocate alpha ', []],
      ['turnout allocate alpha --meaning n', ['new-visitors', 'new-phase']],
      [`turnout reassign ${VISITOR} ga`, ['gamma']],
      ['turnout history --j', ['--json']],
      ['turnout apply -f turnout.y', ['turnout.yaml']],
      ['turnout completion z', ['zsh']],
    ];
    expect(await completed(cases.map(([line]) => line))).toEqual(cases.map(([, words]) => words));
  });

  test('and the other shells get a script of their own', async () => {
    const zsh = await turnout(['completion', 'zsh']);
    expect(zsh.stdout).toMatch(/^#compdef turnout\n/);
    expect(zsh.stdout).toContain("'1:argument:_turnout_experiments'");
    const fish = await turnout(['completion', 'fish']);
    expect(fish.stdout).toContain(
      "__fish_seen_subcommand_from pause' -a '(turnout get --keys 2>/dev/null)'",
    );
  });
});

test('only serve loads the edge, and what is slow to load', async () => {
  const hooks = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`, CLI, 'get', '--keys'],
    { cwd: api.folder, env: cleanEnv() },
  );
  expect(stdout).toContain('alpha\n');
  const loaded = stderr.split('\n');
  expect(loaded.filter((url) => /apps\/edge|router-core|\/zod\//.test(url))).toEqual([]);
  expect(loaded.some((url) => url.endsWith('/get-command.ts'))).toBe(true);
});
