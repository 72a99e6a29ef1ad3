import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Explanation } from '@turnout/contracts/explanation';
import { drawVisitors } from '@turnout/router-core';
import { createEmbeddedStore } from '@turnout/router-core/embedded';
import { parse } from 'yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type ApiProcess } from '../kit/api-process.ts';
import { CLI, cleanEnv, startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';

/**
 * Runs every example of docs/cli.md, in order, and compares what it prints with what stands
 * there. `vitest -u` writes down what they print now.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const DOCUMENT = join(ROOT, 'docs/cli.md');
const TOKEN = 'a-token-of-these-tests-only';

/** The unique visitors of the last days, so that there are some who could move. */
const VISITORS = { control: 620, A: 248, B: 372 };

let upstreams: LightUpstreams;
let edge: EdgeProcess;
let api: ApiProcess;

beforeAll(async () => {
  upstreams = await startLightUpstreams(['wordpress', 'next', 'vue', 'api']);
  const demo: Record<string, unknown> = parse(await readFile(join(ROOT, 'turnout.yaml'), 'utf8'));
  const config = {
    ...demo,
    public: { port: 0, url: 'http://localhost:8080', hosts: ['localhost'] },
    private: { port: 0 },
    upstreams: upstreams.config,
  };
  edge = await startEdge({ config, workers: 1 });
  api = await startApi(config, {
    TURNOUT_DATA_DIR: edge.dataDir,
    TURNOUT_ADMIN_TOKEN: TOKEN,
    TURNOUT_EDGES: edge.privateUrl,
  });
  await countVisitors();
});
afterAll(async () => {
  await api?.remove();
  await edge?.remove();
  await upstreams?.close();
});

async function countVisitors(): Promise<void> {
  const ledger = createEmbeddedStore({
    file: join(edge.dataDir, 'ledger.sqlite'),
    ttl: 86_400_000,
  });
  const today = new Date().toISOString().slice(0, 10);
  for (const [variant, count] of Object.entries(VISITORS)) {
    await ledger.visitors.add('home-redesign', 1, variant, today, [
      ...drawVisitors(count, variant),
    ]);
  }
  await ledger.close();
}

async function snapshotOfEdge(): Promise<number | undefined> {
  const answer = await fetch(`${edge.privateUrl}/v1/explain`, {
    method: 'POST',
    body: JSON.stringify({ url: '/' }),
  });
  const explanation: Explanation = JSON.parse(await answer.text());
  return explanation.revision;
}

/** What is another one each time, as it stands in the document. */
function steady(output: string): string {
  return output
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '2026-12-01 09:30 UTC')
    .replaceAll(/(token=p1\.[\w-]+:\w+)\.\S+/g, '$1.…');
}

/** Runs the commands of a block in bash, with `turnout` in the path, as readers would. */
async function run(commands: readonly string[]): Promise<string> {
  const bin = join(api.folder, 'bin');
  await mkdir(bin, { recursive: true });
  const shim = join(bin, 'turnout');
  await writeFile(shim, `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
  await chmod(shim, 0o755);
  const env = {
    ...cleanEnv(),
    PATH: `${bin}:${process.env['PATH']}`,
    TURNOUT_DATA_DIR: edge.dataDir,
    TURNOUT_PRIVATE_URL: edge.privateUrl,
    TURNOUT_TOKEN: TOKEN,
  };
  const shown: string[] = [];
  for (const command of commands) {
    const output = await new Promise<string>((done) => {
      // A command of the examples may well be refused: what it says is what counts.
      execFile('bash', ['-c', `{ ${command}; } 2>&1`], { cwd: api.folder, env }, (_, stdout) =>
        done(stdout),
      );
    });
    shown.push(`$ ${command}\n${steady(output)}`);
  }
  return shown.join('');
}

test('docs/cli.md shows what its examples print', async () => {
  // Until the edge has it, it decides by the seeds, and has no snapshot to name.
  await expect.poll(snapshotOfEdge).toBe(1);
  const text = await readFile(DOCUMENT, 'utf8');
  const parts: string[] = [];
  for (const part of text.split(/(```console\n[^]*?\n```\n)/)) {
    const isConsole = part.startsWith('```console\n');
    const commands = part
      .split('\n')
      .flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
    parts.push(isConsole ? `\`\`\`console\n${await run(commands)}\`\`\`\n` : part);
  }
  await expect(parts.join('')).toMatchFileSnapshot(DOCUMENT);
});
