import { reportSchema } from '@turnout/contracts/event';
import { expect, test } from 'vitest';
import type { Memory } from './queue.ts';
import { createTurnout } from './turnout.ts';

const REQUEST = '0199f5a2-7b3c-7c1e-9a41-d20f6c51e97b';

/** A page of a visit, and what it reports. */
function openPage(visit: Memory, requestId?: string) {
  const reports: unknown[] = [];
  let made = 0;
  const turnout = createTurnout(
    (id, report) => {
      const { events } = reportSchema.parse(JSON.parse(report));
      expect(events.map(({ event_id }) => event_id)).toEqual([id]);
      reports.push(...events);
    },
    visit,
    () => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`,
    () => 1_700_000_000_000,
    () => requestId,
  );
  return { turnout, reports };
}

test('a conversion is reported as the edge takes it', () => {
  const { turnout, reports } = openPage({}, REQUEST);
  turnout.convert('signup', { value: 18 });
  turnout.convert('newsletter');
  expect(reports).toEqual([
    {
      event_id: '00000000-0000-4000-8000-000000000001',
      metric: 'signup',
      did_convert: true,
      value: 18,
      occurred_at: 1_700_000_000_000,
      request_id: REQUEST,
    },
    {
      event_id: '00000000-0000-4000-8000-000000000002',
      metric: 'newsletter',
      did_convert: true,
      occurred_at: 1_700_000_000_000,
      request_id: REQUEST,
    },
  ]);
});

test('a value that is no number costs the value, and not the conversion', () => {
  const { turnout, reports } = openPage({});
  turnout.convert('signup', { value: Number.NaN });
  expect(reports).toMatchObject([{ did_convert: true, value: null }]);
});

test('a page that is left without the conversion it hopes for is a non-conversion, once', () => {
  const { turnout, reports } = openPage({});
  turnout.expect('signup');
  turnout.leave();
  turnout.leave();
  expect(reports).toMatchObject([{ metric: 'signup', did_convert: false }]);
  expect(reports[0]).not.toHaveProperty('value');
  expect(reports[0]).not.toHaveProperty('request_id');
});

test('a visit has one non-conversion, whatever pages it sees', () => {
  const visit: Memory = {};
  const pages = [openPage(visit), openPage(visit), openPage({ ...visit })];
  for (const { turnout } of pages) {
    turnout.expect('signup');
    turnout.leave();
  }
  // The third is a visit of its own: a tab begun with nothing said yet.
  expect(pages.map(({ reports }) => reports.length)).toEqual([1, 0, 1]);
});

test('no non-conversion follows a conversion, but a conversion may follow a non-conversion', () => {
  const visit: Memory = {};
  const first = openPage(visit);
  first.turnout.expect('signup');
  first.turnout.leave();
  first.turnout.convert('signup', { value: 5 });
  first.turnout.leave();
  expect(first.reports).toMatchObject([{ did_convert: false }, { did_convert: true, value: 5 }]);

  const second = openPage(visit);
  second.turnout.expect('signup');
  second.turnout.leave();
  expect(second.reports).toEqual([]);
});

test('metrics are expected apart', () => {
  const { turnout, reports } = openPage({});
  turnout.expect('signup');
  turnout.expect('newsletter');
  turnout.convert('signup');
  turnout.leave();
  expect(reports).toMatchObject([
    { metric: 'signup', did_convert: true },
    { metric: 'newsletter', did_convert: false },
  ]);
});

test('what the server has reported, the visit owes no more', () => {
  const visit: Memory = {};
  const welcome = openPage(visit);
  welcome.turnout.expect('signup');
  welcome.turnout.settle('signup');
  welcome.turnout.leave();
  const next = openPage(visit);
  next.turnout.expect('signup');
  next.turnout.leave();
  expect([...welcome.reports, ...next.reports]).toEqual([]);
});

test('a storage that is full costs a second non-conversion at most in each page', () => {
  const full = new Proxy<Memory>(
    {},
    {
      set() {
        throw new DOMException('full', 'QuotaExceededError');
      },
    },
  );
  const { turnout, reports } = openPage(full);
  turnout.expect('signup');
  turnout.leave();
  turnout.leave();
  expect(reports).toHaveLength(1);
});
