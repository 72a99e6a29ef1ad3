import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQueue, type Memory } from './queue.ts';

const ID = '3f0a2f6e-6f3c-4f1a-8a57-0d2f2a1c9b7e';
const REPORT = '{"events":[{"event_id":"3f0a2f6e"}]}';

/** A queue whose network and clock are moved by hand. */
function queueOn(stored: Memory, answer: (report: string) => number | Error) {
  const sent: string[] = [];
  const waits: { run: () => void; delay: number }[] = [];
  const send = async (report: string): Promise<number> => {
    sent.push(report);
    const outcome = answer(report);
    if (typeof outcome !== 'number') throw outcome;
    return outcome;
  };
  const queue = createQueue(
    stored,
    send,
    (run, delay) => waits.push({ run, delay }),
    () => 0.5,
  );
  return { queue, sent, waits };
}

/** Lets what has been answered be taken in. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test.each([202, 204, 400, 403, 404, 409, 413, 415, 422])(
  'a report that was answered with %i is forgotten',
  async (status) => {
    const stored: Memory = {};
    const { queue, sent, waits } = queueOn(stored, () => status);
    queue.add(ID, REPORT);
    await settled();
    expect({ sent, waits, stored }).toEqual({ sent: [REPORT], waits: [], stored: {} });
  },
);

test.each([
  ['no answer', new TypeError('Failed to fetch')],
  ['no network', 0],
  ['a page of some network that wants a log-in', 200],
  ['too slow', 408],
  ['too many', 429],
  ['a broken edge', 500],
  ['an edge that can keep nothing now', 503],
])('a report is kept after: %s', async (_, outcome) => {
  const stored: Memory = {};
  const { queue, waits } = queueOn(stored, () => outcome);
  queue.add(ID, REPORT);
  expect(stored).toEqual({ [`turnout/${ID}`]: REPORT });
  await settled();
  expect(stored).toEqual({ [`turnout/${ID}`]: REPORT });
  expect(waits).toHaveLength(1);
});

test('retries come at twice the time, up to five minutes, and begin anew after a success', async () => {
  let status = 503;
  const { queue, waits } = queueOn({}, () => status);
  const delays: number[] = [];
  const retry = async () => {
    const [wait] = waits.splice(0);
    delays.push(wait?.delay ?? Number.NaN);
    wait?.run();
    await settled();
  };
  queue.add(ID, REPORT);
  await settled();
  for (let round = 0; round < 12; round += 1) await retry();
  // Three quarters: half the time is fixed, the other half drawn.
  expect(delays.map((delay) => delay / 0.75)).toEqual(
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((seconds) => seconds * 1_000),
  );
  status = 202;
  await retry();
  expect(waits).toEqual([]);
  status = 503;
  queue.add(ID, REPORT);
  await settled();
  expect(waits.map(({ delay }) => delay)).toEqual([750]);
});

test('however many reports fail, one retry is planned', async () => {
  const { queue, sent, waits } = queueOn({}, () => 503);
  for (const id of ['a', 'b', 'c']) queue.add(id, id);
  await settled();
  expect(waits).toHaveLength(1);
  waits[0]?.run();
  await settled();
  expect(sent).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
});

test('what earlier pages left is sent, and what is not ours stays', async () => {
  const stored: Memory = { theme: 'dark', 'turnout/1': 'one', 'turnout/2': 'two' };
  const { queue, sent } = queueOn(stored, (report) => (report === 'one' ? 202 : 503));
  queue.flush();
  await settled();
  expect(sent).toEqual(['one', 'two']);
  expect(stored).toEqual({ theme: 'dark', 'turnout/2': 'two' });
});

test('a request that the edge knows no more costs its id, and nothing else', async () => {
  const event = { event_id: ID, metric: 'signup', did_convert: true, occurred_at: 1 };
  const without = JSON.stringify({ events: [event] });
  const withId = JSON.stringify({ events: [{ ...event, request_id: ID }] });
  const stored: Memory = {};
  const { queue, sent } = queueOn(stored, (report) => (report === without ? 202 : 409));
  queue.add(ID, withId);
  await settled();
  expect({ sent, stored }).toEqual({ sent: [withId, without], stored: {} });
});

test('a full storage costs nothing but the retries', async () => {
  const full = new Proxy<Memory>(
    {},
    {
      set() {
        throw new DOMException('full', 'QuotaExceededError');
      },
    },
  );
  const { queue, sent } = queueOn(full, () => 202);
  queue.add(ID, REPORT);
  await settled();
  expect(sent).toEqual([REPORT]);
});

test('any outages: every report is there until it is answered for good, and then no more', async () => {
  const outcome = fc.constantFrom(0, 202, 204, 409, 429, 503);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: fc.uuid(), outcomes: fc.array(outcome) }), { maxLength: 5 }),
      async (reports) => {
        const left = new Map(reports.map(({ name, outcomes }) => [name, [...outcomes]]));
        const final = new Set<string>();
        const stored: Memory = {};
        const { queue, waits } = queueOn(stored, (report) => {
          // When the outages are over, all is taken.
          const status = left.get(report)?.shift() ?? 202;
          if ([202, 204, 409].includes(status)) final.add(report);
          return status;
        });
        for (const { name } of reports) queue.add(name, name);
        await settled();
        while (waits.length > 0) {
          const open = [...left.keys()].filter((name) => !final.has(name));
          expect(Object.values(stored).toSorted()).toEqual(open.toSorted());
          waits.shift()?.run();
          await settled();
        }
        expect(stored).toEqual({});
        expect(final).toEqual(new Set(left.keys()));
      },
    ),
  );
});
