// Is a server ready? Probes by protocol, and the wait around them.

import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks once. Answers false, and does not throw, while the server is not ready. */
export type ReadyProbe = () => Promise<boolean>;

/** How long (ms) one question may take. */
const probeTimeoutMs = 2000;

/** Ready once a GET answers 200. */
export function httpProbe(url: string): ReadyProbe {
  return async () => {
    try {
      const response = await fetch(url, {
        redirect: 'manual',
        signal: AbortSignal.timeout(probeTimeoutMs),
      });
      await response.body?.cancel();
      return response.status === 200;
    } catch {
      return false;
    }
  };
}

/** Ready once Redis answers PING; while it loads its append-only file it does not. */
export function redisProbe(port: number): ReadyProbe {
  return async () => (await firstBytes(port, 'PING\r\n')).startsWith('+PONG');
}

/**
 * Ready once MySQL or MariaDB sends its greeting (packet number 0, protocol version 10),
 * which it does after its init file has run.
 */
export function mysqlProbe(port: number): ReadyProbe {
  return async () => {
    const greeting = await firstBytes(port);
    return greeting.charCodeAt(3) === 0 && greeting.charCodeAt(4) === 10;
  };
}

/** What a server on loopback says first, as latin1; empty if nothing. */
async function firstBytes(port: number, question?: string): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port, timeout: probeTimeoutMs });
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => question !== undefined && socket.write(question));
      socket.once('data', (data) => resolve(data.toString('latin1')));
      socket.once('timeout', () => resolve(''));
      socket.once('error', () => resolve(''));
      socket.once('close', () => resolve(''));
    });
  } finally {
    socket.destroy();
  }
}

/**
 * Asks until the answer is yes.
 *
 * @param withinMs give up after this
 * @param signal give up at once
 * @returns whether it became ready
 */
export async function untilReady(
  probe: ReadyProbe,
  { withinMs, everyMs, signal }: { withinMs: number; everyMs: number; signal: AbortSignal },
): Promise<boolean> {
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  while (!giveUp.aborted) {
    if (await probe()) return true;
    await sleep(everyMs, undefined, { signal: giveUp }).catch(() => undefined);
  }
  return false;
}
