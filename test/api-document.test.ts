import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { problemSchema } from '@turnout/contracts/product';
import { expect, onTestFinished, test } from 'vitest';
import { startApi } from '../apps/api/src/testing/api-process.ts';
import { TOKENS, TOKEN_ENVIRONMENT, manage } from '../apps/api/src/testing/management-client.ts';

const run = promisify(execFile);
const text = await readFile(resolve(import.meta.dirname, '../docs/api.md'), 'utf8');
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  );

test('every command of docs/api.md does what it says, one after the other', async () => {
  const API = await startApi(TOKEN_ENVIRONMENT).url;
  const HOME = await mkdtemp(join(tmpdir(), 'turnout-curl-'));
  onTestFinished(() => rm(HOME, { recursive: true, force: true }));
  // An answer of 400 or above ends the script.
  await writeFile(join(HOME, '.curlrc'), 'fail-with-body\n');
  const env = { PATH: process.env['PATH'], HOME, API, TOKEN: TOKENS.admin };

  const answers: unknown[] = [];
  for (const block of blocks('sh')) {
    // Each command on its own: a curl begins in the first column, its body does not.
    for (const command of block.split(/\n(?=curl )/)) {
      const { stdout } = await run('bash', ['-euc', command], { env });
      answers.push(JSON.parse(stdout));
    }
  }
  expect(answers).toHaveLength(text.match(/^curl /gm)?.length ?? 0);
  expect(answers.slice(5, 9)).toMatchObject([
    { action: 'create', experiment: { key: 'plans-page', revision: 1 } },
    {
      dryRun: true,
      preview: {
        slotsMoved: 2000,
        moves: [
          { from: 'control', to: 'A', share: 0.2 },
          { from: 'control', to: 'B', share: 0.2 },
        ],
      },
    },
    { dryRun: false, experiment: { revision: 2 } },
    { experiment: { key: 'plans-page', revision: 2, document: { status: 'running' } } },
  ]);
  // The last one is the audit: what was done, and by whom.
  expect(answers.at(-1)).toMatchObject({
    rows: [
      { author: 'admin', action: 'visitor.forget' },
      { action: 'visitor.reassign' },
      { action: 'experiment.preview' },
      { action: 'experiment.change', reason: 'The form sends again' },
      { action: 'experiment.change', reason: 'A sells more' },
      { action: 'experiment.change', reason: 'The form of B does not send' },
      { action: 'experiment.change', reason: 'Half of the visitors are enough' },
      { action: 'experiment.change', reason: 'More of the new ones' },
      { action: 'experiment.create', subject: 'plans-page' },
      { author: 'turnout.yaml', action: 'experiment.create' },
    ],
  });
});

test('its error is the one that the API gives', async () => {
  const url = await startApi(TOKEN_ENVIRONMENT).url;
  const [shown = ''] = blocks('json');
  const { body } = await manage(url, 'POST /experiments', {
    reason: 'x',
    document: {
      key: 'x',
      status: 'draft',
      variants: [
        { key: 'control', upstream: 'wordpress', weight: 50, control: true },
        { key: 'A', upstream: 'nxt', weight: 50 },
      ],
    },
  });
  expect(problemSchema.parse(body)).toEqual(JSON.parse(shown));
});

test('every endpoint of its table has an example', () => {
  const endpoints = [...text.matchAll(/^\| `([A-Z]+) (\/v1\S*)` /gm)].map(
    ([, method = '', path = '']) => ({ method, path }),
  );
  expect(endpoints).toHaveLength(16);
  const commands = blocks('sh').flatMap((block) => block.split(/\n(?=curl )/));
  const isShown = ({ method, path }: { method: string; path: string }) => {
    const address = new RegExp(`"\\$API${path.replace(/:\w+/g, '[\\w-]+')}["?]`);
    return commands.some((command) => {
      const used = /-X ([A-Z]+)/.exec(command)?.[1] ?? (command.includes(' -d ') ? 'POST' : 'GET');
      return used === method && address.test(command);
    });
  };
  expect(endpoints.filter((endpoint) => !isShown(endpoint))).toEqual([]);
});
