import { once } from 'node:events';
import net from 'node:net';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, holderOf, isFree } from './ports.ts';

async function listenOn(host: string): Promise<number> {
  const server = net.createServer().listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

test.each(['127.0.0.1', '0.0.0.0', '::'])('a port held on %s is not free', async (host) => {
  expect(await isFree(await listenOn(host))).toBe(false);
});

test('a port given away already, or held by another, moves to a free one', async () => {
  const held = await listenOn('127.0.0.1');
  const spoken = new Set<number>();
  const first = await freePort(held, spoken);
  expect(first).not.toBe(held);
  expect(await isFree(first)).toBe(true);
  expect(await freePort(first, spoken)).not.toBe(first);
});

test('a free port is kept', async () => {
  const port = await freePort(0, new Set());
  expect(await freePort(port, new Set())).toBe(port);
});

test.runIf(process.platform === 'linux')('who holds a port is told by name', async () => {
  const port = await listenOn('127.0.0.1');
  expect(await holderOf(port)).toMatch(new RegExp(`^.+ \\(process ${process.pid}\\)$`));
  expect(await holderOf(await freePort(0, new Set()))).toBeUndefined();
});
