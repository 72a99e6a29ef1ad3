import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SEEDS, VIEWER, commandLine } from '../kit/command-line.ts';
import { CLI, cleanEnv, runTurnout } from '../kit/edge-process.ts';

const VISITOR = 'AAAAAAAAAAAAAAAAAAAAAA';
const cli = commandLine();
const { turnout, file } = cli;

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
    const none = await runTurnout(['get', '--api', cli.api.url], {}, { cwd: file('elsewhere') });
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
    cwd: cli.api.folder,
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
    { cwd: cli.api.folder, env: cleanEnv() },
  );
  expect(stdout).toContain('alpha\n');
  const loaded = stderr.split('\n');
  expect(loaded.filter((url) => /apps\/edge|router-core|\/zod\//.test(url))).toEqual([]);
  expect(loaded.some((url) => url.endsWith('/get-command.ts'))).toBe(true);
});
