import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from './ports.ts';
import { httpProbe } from './readiness.ts';
import type { RestartPolicy } from './restart-policy.ts';
import { nodeServer } from './server-command.ts';
import type { Service, ServiceEvent } from './supervised-service.ts';
import { Supervisor } from './supervisor.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
const quick: RestartPolicy = {
  firstDelayMs: 10,
  longestDelayMs: 40,
  crashesAllowed: 5,
  windowMs: 60_000,
};

let logs: string;
let events: ServiceEvent[];
let supervisor: Supervisor;

beforeEach(() => {
  logs = mkdtempSync(path.join(os.tmpdir(), 'turnout-supervisor-'));
  events = [];
  supervisor = new Supervisor(logs, {
    policy: quick,
    onEvent: (event) => events.push(event),
    now: () => performance.now(),
  });
});

afterEach(async () => {
  await supervisor.stop();
  rmSync(logs, { recursive: true });
});

const spoken = new Set<number>();

async function service(
  name: string,
  env: Record<string, string> = {},
  times: Partial<Service> = {},
): Promise<Service & { url: string }> {
  const port = await freePort(0, spoken);
  const url = `http://127.0.0.1:${port}`;
  return {
    name,
    where: `:${port}`,
    url,
    command: nodeServer(['server.mjs'], { cwd: fixtures, env: { ...env, PORT: String(port) } }),
    isReady: httpProbe(`${url}/`),
    readyWithinMs: 20_000,
    stopWithinMs: 5000,
    ...times,
  };
}

/** Numbers that the service's runs have logged after `word`. */
function logged(name: string, word: 'pid' | 'child' | 'told' | 'ended'): number[] {
  const file = path.join(logs, `${name}.log`);
  if (!existsSync(file)) return [];
  const found = readFileSync(file, 'utf8').matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'));
  return [...found].map((match) => Number(match[1]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers, and runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

function count(kind: ServiceEvent['kind']): number {
  return events.filter((event) => event.kind === kind).length;
}

const crash = (url: string): Promise<unknown> => fetch(`${url}/crash`).catch(() => undefined);

describe('start', () => {
  test('resolves when all of a tier are ready, and says so of each', async () => {
    const one = await service('one');
    const two = await service('two');
    await supervisor.startTier([one, two]);
    expect((await fetch(one.url)).status).toBe(200);
    expect((await fetch(two.url)).status).toBe(200);
    expect(events.filter(({ kind }) => kind === 'ready').map(({ name }) => name)).toHaveLength(2);
  });

  test('a service that ends before it is ready fails with its last lines', async () => {
    const broken = await service('broken', { MODE: 'broken' });
    await expect(supervisor.startTier([broken])).rejects.toMatchObject({
      message: 'broken ended before it was ready (exit code 3)',
      lines: [expect.stringMatching(/^pid \d+$/), 'the disk is full'],
      logFile: path.join(logs, 'broken.log'),
    });
  });

  test('a service that is never ready fails after its bound and is stopped', async () => {
    const mute = await service('mute', { MODE: 'mute' }, { readyWithinMs: 600 });
    await expect(supervisor.startTier([mute])).rejects.toThrow('mute was not ready within 0.6 s');
    expect(logged('mute', 'pid').map(isAlive)).toEqual([false]);
  });

  test('a program that is not there fails by name', async () => {
    const absent = {
      ...(await service('absent')),
      command: { program: '/no/such/program', args: [], cwd: fixtures, env: {} },
    };
    await expect(supervisor.startTier([absent])).rejects.toThrow(/cannot be run: .*ENOENT/);
  });
});

describe('a crash', () => {
  test('restarts the service, and is told', async () => {
    const one = await service('one');
    await supervisor.startTier([one]);
    await crash(one.url);
    await until(() => count('recovered') === 1);
    expect((await fetch(one.url)).status).toBe(200);
    expect(events).toContainEqual({
      kind: 'crashed',
      name: 'one',
      how: 'exit code 7',
      restartInMs: 10,
    });
  });

  test('ends what the crashed run has left behind', async () => {
    const one = await service('one', { WITH_CHILD: '1' });
    await supervisor.startTier([one]);
    const [child = 0] = logged('one', 'child');
    expect(isAlive(child)).toBe(true);
    await crash(one.url);
    await until(() => !isAlive(child));
  });

  test('more than five within the window give the service up, with its last lines', async () => {
    const one = await service('one');
    await supervisor.startTier([one]);
    for (let crashes = 1; crashes <= 5; crashes++) {
      await crash(one.url);
      await until(() => count('recovered') === crashes);
    }
    await crash(one.url);
    const failure = await supervisor.givenUp;
    expect(failure.message).toBe(
      'one crashed more than 5 times within 60 s (the last time: exit code 7)',
    );
    expect(failure.lines).toEqual([expect.stringMatching(/^pid \d+$/)]);
    expect(logged('one', 'pid')).toHaveLength(6);
  });
});

describe('restart', () => {
  test('is no crash', async () => {
    const one = await service('one');
    await supervisor.startTier([one]);
    await supervisor.restart('one');
    expect((await fetch(one.url)).status).toBe(200);
    expect(logged('one', 'pid')).toHaveLength(2);
    expect(events.map(({ kind }) => kind)).toEqual(['starting', 'ready']);
  });

  test('an unknown name is an error', async () => {
    await expect(supervisor.restart('none')).rejects.toThrow('No service is called none.');
  });
});

describe('stop', () => {
  test('ends the last tier first, and the children of each', async () => {
    const first = await service('first', { WITH_CHILD: '1' });
    const last = await service('last', { MODE: 'slow' });
    await supervisor.startTier([first]);
    await supervisor.startTier([last]);
    await supervisor.stop();
    const [lastEnded = Infinity] = logged('last', 'ended');
    const [firstTold = 0] = logged('first', 'told');
    expect(lastEnded).toBeLessThanOrEqual(firstTold);
    const pids = [...logged('first', 'pid'), ...logged('first', 'child'), ...logged('last', 'pid')];
    expect(pids).toHaveLength(3);
    await until(() => !pids.some(isAlive));
  });

  test('kills what does not end in time', async () => {
    const stubborn = await service('stubborn', { MODE: 'stubborn' }, { stopWithinMs: 300 });
    await supervisor.startTier([stubborn]);
    await supervisor.stop();
    expect(logged('stubborn', 'pid').map(isAlive)).toEqual([false]);
    expect(events).toContainEqual({ kind: 'killed', name: 'stubborn', afterMs: 300 });
  });

  test('during the wait before a restart starts nothing more', async () => {
    const one = await service('one');
    await supervisor.startTier([one]);
    await crash(one.url);
    await until(() => count('crashed') === 1);
    await supervisor.stop();
    expect(logged('one', 'pid').map(isAlive)).not.toContain(true);
  });
});

describe('the runner itself', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'ended by %s leaves nothing running',
    async (signal) => {
      const port = await freePort(0, spoken);
      const runner = spawn(
        process.execPath,
        [path.join(fixtures, 'runner.mjs'), logs, String(port)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      onTestFinished(() => void runner.kill('SIGKILL'));
      await once(runner.stdout, 'data');
      await until(() => everyPid().length === 3);
      const pids = everyPid();
      expect(pids.map(isAlive)).toEqual([true, true, true]);
      runner.kill(signal);
      await once(runner, 'exit');
      await until(() => !pids.some(isAlive));
    },
  );
});

/** Of the two servers of fixtures/runner.mjs and the child of one. */
function everyPid(): number[] {
  return [...logged('node', 'pid'), ...logged('node', 'child'), ...logged('native', 'pid')];
}
