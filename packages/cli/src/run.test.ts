import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** An API that knows one experiment, and keeps whether it was asked to make a change. */
async function startApi() {
  const made: boolean[] = [];
  const experiment = { key: 'home', revision: 1, document: { status: 'paused', variants: [] } };
  const server = createServer(async (request, response) => {
    const chunks: string[] = [];
    for await (const chunk of request) chunks.push(String(chunk));
    const body: unknown = JSON.parse(chunks.join('') || '{}');
    const isDryRun = typeof body === 'object' && body !== null && Reflect.get(body, 'dryRun');
    if (request.method === 'POST' && isDryRun === false) made.push(true);
    const diff = [{ path: ['status'], before: 'running', after: 'paused' }];
    const change = { action: 'change', experiment, diff, preview: { slotsMoved: 0, moves: [] } };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(request.method === 'POST' ? change : experiment));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server is not on TCP.');
  return { url: `http://127.0.0.1:${address.port}`, made };
}

test('a change is made though nobody reads the output', async () => {
  const { url, made } = await startApi();
  const options = ['--yes', '--reason', 'sale', '--api', url, '--token', 'a-token'];
  const child = spawn(process.execPath, [MAIN, 'pause', 'home', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  child.stderr.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(made).toEqual([true]);
});
