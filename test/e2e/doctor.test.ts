import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi } from '../kit/api-process.ts';
import { runTurnout } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';

let folder: string;
let file: string;
let upstreams: LightUpstreams;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnout-doctor-'));
  file = join(folder, 'turnout.yaml');
  upstreams = await startLightUpstreams(['control', 'next']);
  await writeFile(
    file,
    `
upstreams: ${JSON.stringify(upstreams.config)}
default: control
experiments:
  - key: home
    status: running
    scope: { paths: [/] }
    variants:
      - { key: control, upstream: control, weight: 50, control: true }
      - { key: A, upstream: next, weight: 50 }
`,
  );
});
afterAll(async () => {
  await upstreams?.close();
  await rm(folder, { recursive: true, force: true });
});

const experiment = (key: string, path: string) => ({
  key,
  status: 'running',
  scope: { paths: [path] },
  variants: [
    { key: 'control', upstream: 'control', weight: 50, control: true },
    { key: 'A', upstream: 'next', weight: 50 },
  ],
});

const doctor = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runTurnout(['doctor', '--config', file, '--timeout', '20s', ...args], env);

test('a good set-up: each check with what it saw, no colours, exit code 0', async () => {
  const { code, stdout, stderr } = await doctor([]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /^Configuration\n {2}✓ .*turnout\.yaml: 2 upstreams, 0 routes, 1 experiment\n/,
  );
  expect(stdout).toMatch(/\nUpstreams answer\n {2}✓ control \/: 200 in \d+ ms, keep-alive\n/);
  expect(stdout).toMatch(/\nLedger\n {2}✓ data folder .*: writable, \d+ MiB of room\n/);
  expect(stdout).toMatch(/\n\nNothing to mend\.\n$/);
  expect(stdout).not.toContain('\u001B');
  expect(code).toBe(0);
  // It made no data folder.
  expect(await readdir(folder)).toEqual(['turnout.yaml']);
});

test('an upstream that is down: what, and what to do; exit code 1', async () => {
  const { code, stdout } = await doctor([], { TURNOUT_NEXT_URL: 'http://127.0.0.1:9' });
  expect(stdout).toContain(`
  ✗ next
      expected an answer from http://127.0.0.1:9
      got      http://127.0.0.1:9 refused the connection: nothing listens there (connect ECONNREFUSED 127.0.0.1:9)
      fix      Start it, or correct its url
`);
  expect(stdout).toMatch(/\n1 error, 0 warnings\.\n$/);
  expect(code).toBe(1);
});

test('--json is for scripts', async () => {
  const { code, stdout } = await doctor(['--json', '--page', '/about', '--page', '/a%20b?c=d']);
  const report: unknown = JSON.parse(stdout);
  expect(report).toMatchObject({
    errors: 0,
    warnings: 0,
    checks: [
      { name: 'configuration' },
      {
        name: 'upstreams',
        findings: [
          { level: 'ok', where: 'control /', got: expect.any(String) },
          { where: 'next /' },
          { where: 'control /about' },
          { where: 'control /a%20b?c=d' },
        ],
      },
      ...Array.from({ length: 8 }, () => expect.anything()),
    ],
  });
  expect(code).toBe(0);
});

test.each([
  ['an unknown option', ['--pages', '/']],
  ['a page that is no path', ['--page', 'plans']],
  ['a time that is none', ['--timeout', 'soon']],
  ['no time at all', ['--timeout', '0s']],
  ['a file that is not there', ['--config', '/nowhere/turnout.yaml']],
])('%s is exit code 2, with the reason', async (_, args) => {
  const { code, stdout, stderr } = await doctor(args);
  expect(stderr).toMatch(/unknown option|Expected the path|Expected a length|Can't read/);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('a configuration that the edge refuses is exit code 1, with every line', async () => {
  const { code, stdout } = await doctor([], { TURNOUT_PORT: 'many', TURNOUT_NEXT_URL: 'next' });
  expect(stdout).toContain('✗ environment variable TURNOUT_PORT');
  expect(stdout).toContain('✗ environment variable TURNOUT_NEXT_URL');
  expect(stdout).toMatch(/\n2 errors, 0 warnings\.\n$/);
  expect(code).toBe(1);
});

test('experiments are those that an API has, with what the file alone has', async () => {
  const config = { upstreams: upstreams.config, default: 'control' };
  const seeds = [experiment('all', '/**'), experiment('plans', '/plans')];
  const api = await startApi({ ...config, experiments: seeds });
  try {
    const inItsFolder = async (experiments: readonly unknown[]) => {
      const own = join(api.folder, 'turnout.yaml');
      await writeFile(own, JSON.stringify({ ...config, experiments }));
      return runTurnout(['doctor', '--config', own, '--timeout', '20s'], {});
    };
    // The file says nothing of what shadows it.
    const { code, stdout } = await inItsFolder([experiment('plans', '/plans')]);
    expect(stdout).toContain(`  ✓ experiments: as the API at ${api.url} has them (2)\n`);
    expect(stdout).toContain('got      every page of it is in the scope of all (running)');
    expect(code).toBe(1);
    const more = await inItsFolder([experiment('new', '/new')]);
    expect(more.stdout).toContain('has them (2); only in the file: new\n');
  } finally {
    await api.remove();
  }
  const named = await doctor(['--api', 'http://127.0.0.1:9', '--token', 'x']);
  expect(named.code).toBe(3);
  expect(named.stderr).toContain("Can't reach the API at http://127.0.0.1:9");
});
