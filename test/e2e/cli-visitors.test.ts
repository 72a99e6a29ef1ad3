import { writeFile } from 'node:fs/promises';
import type { Explanation } from '@turnout/contracts/explanation';
import type { Simulation } from '@turnout/router-core';
import type { Erasure, PreviewLink, VisitorAssignments } from '@turnout/contracts/management';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { because, commandLine, experiment } from '../kit/command-line.ts';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { CTRL_C } from '../kit/pseudo-terminal.ts';

const VISITOR = 'AAAAAAAAAAAAAAAAAAAAAA';
const { asked, turnout, json, file } = commandLine();

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
