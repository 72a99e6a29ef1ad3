import { writeFile } from 'node:fs/promises';
import type { RampState } from '@turnout/contracts/ramp';
import type { ApplyResult, Change, ExperimentList, History } from '@turnout/contracts/management';
import { parse, stringify } from 'yaml';
import { describe, expect, test } from 'vitest';
import { because, EDITOR, SEEDS, commandLine, experiment } from '../kit/command-line.ts';
import { CTRL_C, runOnTerminal } from '../kit/pseudo-terminal.ts';

const cli = commandLine();
const { asked, turnout, json, record, file } = cli;

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
    const { shown } = await runOnTerminal(['get'], [], { cwd: cli.api.folder, columns: 80 });
    const lines = shown.trimEnd().split(/\r\n/);
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
    expect(lines[1]).toContain('…');
  });
});
