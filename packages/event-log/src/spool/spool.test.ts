import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeLines } from './line.ts';
import { SpoolFull, createSpool } from './spool.ts';
import type { Spool, SpoolDamage, SpoolOptions } from './spool.ts';

let folder: string;
const opened: Spool[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-spool-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((spool) => spool.close()));
  rmSync(folder, { recursive: true });
});

function open(options: Partial<SpoolOptions> = {}): Spool {
  const spool = createSpool({ folder, ...options });
  opened.push(spool);
  return spool;
}

const numbered = (count: number, name = 'event'): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

async function replay(spool: Spool): Promise<string[]> {
  const events: string[] = [];
  await spool.replay(async (some) => void events.push(...some));
  return events;
}

describe('a spool', () => {
  test('gives back what it was given, in order, once', async () => {
    const spool = open();
    expect(await replay(spool)).toEqual([]);
    await Promise.all([spool.append(['one', 'two']), spool.append(['three']), spool.append([])]);
    expect(spool.waiting).toBeGreaterThan(0);
    expect(await replay(spool)).toEqual(['one', 'two', 'three']);
    expect(spool.waiting).toBe(0);
    expect(await replay(spool)).toEqual([]);
    await spool.append(['four']);
    expect(await replay(spool)).toEqual(['four']);
    expect(statSync(join(folder, '0.lines')).size).toBe(0);
  });

  test('gives large events and many of them in batches', async () => {
    const spool = open();
    const events = [...numbered(20_000), 'x'.repeat(2_000_000), ...numbered(20_000, 'later')];
    await spool.append(events);
    const sizes: number[] = [];
    const read: string[] = [];
    await spool.replay(async (some) => {
      sizes.push(some.length);
      read.push(...some);
    });
    expect(read.length).toBe(events.length);
    expect(read.findIndex((text, index) => text !== events[index])).toBe(-1);
    expect(sizes.length).toBeGreaterThan(4);
  });

  test('goes on with the batch that was not taken', async () => {
    const spool = open();
    const events = numbered(30_000);
    await spool.append(events);
    const read: string[] = [];
    const refused = spool.replay(async (some) => {
      if (read.length > 10_000) throw new Error('out of reach');
      read.push(...some);
    });
    await expect(refused).rejects.toThrow('out of reach');
    read.push(...(await replay(spool)));
    expect(read).toEqual(events);
  });

  test('leaves to the next replay what is appended during one', async () => {
    const spool = open();
    await spool.append(['first']);
    const read: string[] = [];
    await spool.replay(async (some) => {
      read.push(...some);
      await spool.append(['second']);
    });
    expect(read).toEqual(['first']);
    expect(await replay(spool)).toEqual(['second']);
    expect(statSync(join(folder, '0.lines')).size).toBe(0);
  });

  test('refuses what it has no room for, whole, and takes it when it is empty again', async () => {
    const spool = open({ maxBytes: 1_000 });
    const batch = numbered(10);
    await spool.append(batch);
    await spool.append(batch);
    await expect(spool.append(numbered(100))).rejects.toThrow(SpoolFull);
    await expect(spool.append(numbered(100))).rejects.toThrow(
      `The spool ${join(folder, '0.lines')} has reached its 1000 bytes. Bring the event log back`,
    );
    // Room is counted before it is used.
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, () => spool.append(batch)),
    );
    const taken = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(statSync(join(folder, '0.lines')).size).toBeLessThanOrEqual(1_000);
    expect(await replay(spool)).toEqual(Array.from({ length: taken + 2 }, () => batch).flat());
    await spool.append(batch);
  });

  test('that is closed refuses, and two replays at a time are one too many', async () => {
    const spool = open();
    await spool.append(['kept']);
    const first = replay(spool);
    await expect(replay(spool)).rejects.toThrow('is being replayed already');
    expect(await first).toEqual(['kept']);
    await spool.close();
    await spool.close();
    await expect(spool.append(['too late'])).rejects.toThrow('was closed');
  });

  test('is for its owner alone', async () => {
    await open().append(['secret']);
    expect(statSync(join(folder, '0.lines')).mode & 0o077).toBe(0);
  });
});

describe('after a crash', () => {
  test('at any byte, nothing is lost that was on the disk, and a torn line is told', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string(), { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
        async (batches, where, later) => {
          const ownFolder = mkdtempSync(join(folder, 'run-'));
          const before = createSpool({ folder: ownFolder });
          for (const batch of batches) await before.append(batch);
          await before.close();
          const events = batches.flat();
          const file = join(ownFolder, '0.lines');
          const cut = where % (statSync(file).size + 1);
          truncateSync(file, cut);

          const damages: SpoolDamage[] = [];
          const after = createSpool({
            folder: ownFolder,
            onDamage: (damage) => damages.push(damage),
          });
          await after.append(later);
          const read = await replay(after);
          await after.close();
          const whole = wholeLines(events, cut);
          const kept = read.length - later.length;
          expect(read).toEqual([...events.slice(0, kept), ...later]);
          expect(kept).toBe(whole.count);
          expect(damages).toEqual(whole.torn === 0 ? [] : [{ file, bytes: whole.torn }]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('wherever a byte is another, all other lines are there', async () => {
    const events = numbered(40);
    const bytes = encodeLines(events);
    const file = join(folder, '0.lines');
    const damages: SpoolDamage[] = [];
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      writeFileSync(file, changed);
      damages.length = 0;
      const spool = createSpool({ folder, onDamage: (damage) => damages.push(damage) });
      const read = await replay(spool);
      await spool.close();
      const lost = bytes[at] === 10 ? 2 : 1;
      expect(read.length).toBe(events.length - lost);
      expect(events.filter((event) => read.includes(event))).toEqual(read);
      expect(damages.length).toBe(1);
    }
  });

  test('zeros at the end, as a power cut leaves them, cost nothing', async () => {
    const lines = encodeLines(numbered(3));
    writeFileSync(join(folder, '0.lines'), Buffer.concat([lines, Buffer.alloc(4_096)]));
    const damages: SpoolDamage[] = [];
    const spool = open({ onDamage: (damage) => damages.push(damage) });
    await spool.append(['next']);
    expect(await replay(spool)).toEqual([...numbered(3), 'next']);
    expect(damages).toEqual([{ file: join(folder, '0.lines'), bytes: 4_096 }]);
  });

  test('in the middle of a replay, it comes again from the start', async () => {
    const spool = open();
    const events = numbered(30_000);
    await spool.append(events);
    const stuck = spool.replay(async () => {
      throw new Error('killed here');
    });
    await expect(stuck).rejects.toThrow('killed here');
    await spool.close();
    expect(await replay(open())).toEqual(events);
  });

  test('a file that was cut under the feet of its process is told, and used again', async () => {
    const damages: SpoolDamage[] = [];
    const spool = open({ onDamage: (damage) => damages.push(damage) });
    await spool.append(numbered(3));
    const { waiting } = spool;
    truncateSync(join(folder, '0.lines'), 0);
    expect(await replay(spool)).toEqual([]);
    expect(damages).toEqual([{ file: join(folder, '0.lines'), bytes: waiting }]);
    await spool.append(['next']);
    expect(await replay(spool)).toEqual(['next']);
  });
});

/** How many lines are whole before a cut, the last one with or without its feed, and what is torn. */
function wholeLines(events: readonly string[], cut: number): { count: number; torn: number } {
  let end = 0;
  for (const [index, event] of events.entries()) {
    const { length } = encodeLines([event]);
    if (end + length - 1 > cut) return { count: index, torn: Math.max(0, cut - end) };
    end += length;
  }
  return { count: events.length, torn: 0 };
}

test('on a full disk a batch is kept or refused, and what was kept is there after a crash', async () => {
  // A limit on the size of files ends a write half-way, and refuses the next, as a full disk does.
  const source = `
    import { createSpool } from ${JSON.stringify(new URL('spool.ts', import.meta.url).href)};
    const spool = createSpool({ folder: process.argv[1] });
    const tell = (told) => process.stdout.write(JSON.stringify(told) + '\\n');
    const fill = async (name, size) => {
      for (let number = 0; ; number += 1) {
        const batch = [0, 1, 2].map((part) => \`\${name} \${number}.\${part} \${'x'.repeat(size)}\`);
        const error = await spool.append(batch).then(() => undefined, (reason) => reason);
        tell({ batch, refused: error?.code });
        if (error !== undefined) return;
      }
    };
    await fill('first', 300);
    // What there is room for is taken, over what the refused batch left.
    await fill('small', 1);
    const replayed = [];
    await spool.replay(async (events) => void replayed.push(...events));
    tell({ replayed });
    await fill('again', 300);
    await fill('small again', 1);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      'ulimit -f 32; exec "$0" "$@"',
      process.execPath,
      '--input-type=module-typescript',
      '--eval',
      source,
      folder,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const out = await textOf(child.stdout);
  const told = out
    .trimEnd()
    .split('\n')
    .map((line): Told => JSON.parse(line));
  const refusals = told.flatMap(({ refused }) => refused ?? []);
  expect(refusals).toEqual(['EFBIG', 'EFBIG', 'EFBIG', 'EFBIG']);
  const turn = told.findIndex(({ replayed }) => replayed !== undefined);
  expect(told[turn]?.replayed).toEqual(keptOf(told.slice(0, turn)));
  const left = keptOf(told.slice(turn));
  expect(left.length).toBeGreaterThan(30);
  const read = await replay(open());
  expect(read.slice(0, left.length)).toEqual(left);
  // Of a refused batch some may be there, but nothing that nobody sent.
  const sent = new Set(told.flatMap(({ batch = [] }) => batch));
  expect(read.filter((event) => !sent.has(event))).toEqual([]);
});

interface Told {
  readonly batch?: readonly string[];
  /** The code of the error; undefined for what was kept. */
  readonly refused?: string;
  readonly replayed?: readonly string[];
}

function keptOf(told: readonly Told[]): string[] {
  return told.flatMap(({ batch = [], refused }) => (refused === undefined ? batch : []));
}

describe('several processes', () => {
  const source = `
    import { createSpool } from ${JSON.stringify(new URL('spool.ts', import.meta.url).href)};
    const [folder, name] = process.argv.slice(1);
    const spool = createSpool({ folder });
    for (let number = 0; ; number += 1) {
      await spool.append([\`\${name} \${number}\`]);
      process.stdout.write(\`\${name} \${number}\\n\`);
    }`;

  interface Appender {
    /** Resolves with what it was told is on the disk. */
    kill(): Promise<string[]>;
  }

  /** Resolves once the first event is on the disk. */
  async function startAppender(name: string): Promise<Appender> {
    const child = spawn(
      process.execPath,
      ['--input-type=module-typescript', '--eval', source, folder, name],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
    });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    return {
      async kill() {
        child.kill('SIGKILL');
        await closed;
        return out.slice(0, out.lastIndexOf('\n')).split('\n');
      },
    };
  }

  test('have a file each, and of those that were killed nothing is lost', async () => {
    const appenders = await Promise.all(['a', 'b', 'c'].map(startAppender));
    const told = await Promise.all(appenders.map((appender) => appender.kill()));
    const files = readdirSync(folder).filter((name) => name.endsWith('.lines'));
    expect(files.toSorted()).toEqual(['0.lines', '1.lines', '2.lines']);
    const read = await replay(open());
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const own = read.filter((event) => event.startsWith(name));
      expect(told[index]?.length).toBeGreaterThan(0);
      // In order; and perhaps one that nobody was told of any more.
      expect(own.slice(0, told[index]?.length)).toEqual(told[index]);
      expect(own).toEqual(numbered(own.length, name));
    }
    expect(files.map((name) => readFileSync(join(folder, name)).length)).toEqual([0, 0, 0]);
  });

  test('leave the files of the living alone, and take the place of the dead', async () => {
    const [first, second, third] = [open(), open(), open()];
    await Promise.all([first, second, third].map((spool, index) => spool.append([`of ${index}`])));
    expect(await replay(third)).toEqual(['of 2']);
    await second.close();
    const next = open();
    expect(next.waiting).toBeGreaterThan(0);
    await next.append(['of its heir']);
    expect(await replay(third)).toEqual([]);
    expect(await replay(next)).toEqual(['of 1', 'of its heir']);
    await first.close();
    expect(await replay(next)).toEqual(['of 0']);
    expect(readdirSync(folder).filter((name) => name.endsWith('.lines')).length).toBe(3);
  });

  test('and what one left that ended is kept when nobody takes it', async () => {
    const [spool, left] = [open(), open()];
    await left.append(numbered(3));
    await left.close();
    const refused = spool.replay(async () => {
      throw new Error('out of reach');
    });
    await expect(refused).rejects.toThrow('out of reach');
    expect(await replay(spool)).toEqual(numbered(3));
  });
});

test('a folder that cannot be written is refused', () => {
  writeFileSync(join(folder, 'taken'), '');
  expect(() => createSpool({ folder: join(folder, 'taken') })).toThrow(/EEXIST|ENOTDIR/);
});
