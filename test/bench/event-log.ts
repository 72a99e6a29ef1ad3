import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createEmbeddedEventLog,
  createEmbeddedEventReader,
} from '../../packages/event-log/src/embedded/index.ts';
import type { EventLog, EventReader } from '../../packages/event-log/src/event-log.ts';
import {
  createRedisEventLog,
  createRedisEventReader,
} from '../../packages/event-log/src/redis/index.ts';
import { createSpool } from '../../packages/event-log/src/spool/index.ts';
import { startRedis } from '../kit/redis-server.ts';
import { describeMachine } from './machine.ts';

// How many events a second does the log take, and give to its readers?
// `pnpm bench:event-log`
//
// 1. Append all events in batches of 100, four under way at a time: what four workers do, in
//    one process. An append is timed from its call until the events are durable.
// 2. Read and acknowledge them in batches of 1,000, one after the other, as one API does.
// 3. Check that each event came once, in the order of its batch: else nothing is reported.
// The spool is appended to and replayed, in the batches that it makes itself.

const EVENTS = 200_000;
const APPENDED = 100;
const UNDER_WAY = 4;
const READ = 1_000;

/** As long as an exposure. */
const events = Array.from({ length: EVENTS }, (_, number) =>
  JSON.stringify({
    kind: 'exposure',
    eventId: `0199b7a2-0000-7000-8000-${String(number).padStart(12, '0')}`,
    requestId: `0199b7a2-0000-7000-9000-${String(number).padStart(12, '0')}`,
    visitor: 'AAECAwQFBgcICQoLDA0ODw',
    experiment: 'home-redesign',
    phase: 1,
    revision: 3,
    assigned: 'wordpress',
    served: 'wordpress',
    bot: 'none',
    edge: 'edge-1',
    at: 1_764_000_000_000 + number,
  }),
);

interface Figures {
  /** Events a second. */
  readonly appended: number;
  /** Events a second. */
  readonly read: number;
  /** Milliseconds of one append. */
  readonly p50: number;
  readonly p99: number;
}

interface Contender {
  append(events: readonly string[]): Promise<void>;
  /** Hands on every event. */
  drain(into: (events: readonly string[]) => void): Promise<void>;
}

async function measure(contender: Contender): Promise<Figures> {
  const times: number[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < EVENTS) {
      const batch = events.slice(next, next + APPENDED);
      next += APPENDED;
      const began = performance.now();
      await contender.append(batch);
      times.push(performance.now() - began);
    }
  };
  const appendBegan = performance.now();
  await Promise.all(Array.from({ length: UNDER_WAY }, work));
  const appended = performance.now() - appendBegan;

  const seen: string[] = [];
  const readBegan = performance.now();
  await contender.drain((some) => void seen.push(...some));
  const read = performance.now() - readBegan;

  const wrong = events.findIndex((event, index) => event !== seen[index]);
  if (wrong !== -1 || seen.length !== EVENTS) {
    throw new Error(`Expected ${EVENTS} events in order, got ${seen.length}, another at ${wrong}`);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return {
    appended: EVENTS / (appended / 1_000),
    read: EVENTS / (read / 1_000),
    p50: sorted[Math.floor(sorted.length * 0.5)] ?? NaN,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
  };
}

async function measureLog(log: EventLog, reader: EventReader): Promise<Figures> {
  const figures = await measure({
    append: (some) => log.append(some),
    async drain(into) {
      for (;;) {
        const some = await reader.read(READ, 0);
        if (some.length === 0) return;
        into(some.map(({ text }) => text));
        await reader.ack(some.map(({ id }) => id));
      }
    },
  });
  await Promise.all([log.close(), reader.close()]);
  return figures;
}

async function measureRedis(appendfsync: 'everysec' | 'always'): Promise<Figures> {
  const server = await startRedis({ settings: ['--appendfsync', appendfsync] });
  const { url } = server;
  try {
    return await measureLog(
      createRedisEventLog({ url }),
      createRedisEventReader({ url, name: 'bench' }),
    );
  } finally {
    await server.stop();
  }
}

async function inFolder(run: (folder: string) => Promise<Figures>): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const measureEmbedded = (): Promise<Figures> =>
  inFolder(async (folder) => {
    const file = join(folder, 'events.sqlite');
    return measureLog(
      createEmbeddedEventLog({ file }),
      createEmbeddedEventReader({ file, name: 'bench' }),
    );
  });

const measureSpool = (): Promise<Figures> =>
  inFolder(async (folder) => {
    const spool = createSpool({ folder, maxBytes: 1_000_000_000 });
    const figures = await measure({
      append: (some) => spool.append(some),
      drain: (into) => spool.replay(async (some) => into(some)),
    });
    await spool.close();
    return figures;
  });

const machine = describeMachine(new Date());
const rate = (perSecond: number): string => Math.round(perSecond).toLocaleString('en').padStart(10);
process.stdout.write(
  `${machine.date}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}\n` +
    `${EVENTS} events of ${events[0]?.length} bytes\n\n` +
    '                  appended/s  read/s     append p50 ms     p99\n',
);
for (const [name, run] of [
  ['Redis, everysec', () => measureRedis('everysec')],
  ['Redis, always', () => measureRedis('always')],
  ['SQLite, FULL', measureEmbedded],
  ['spool', measureSpool],
] as const) {
  const { appended, read, p50, p99 } = await run();
  process.stdout.write(
    `${name.padEnd(17)} ${rate(appended)}${rate(read)} ${p50.toFixed(1).padStart(15)} ${p99.toFixed(1).padStart(9)}\n`,
  );
}
