import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLines, encodeLines, lengthOfWholeLines } from './line.ts';

const texts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 });

test('lines give back the events that they were made of', () => {
  fc.assert(
    fc.property(texts, (events) => {
      const bytes = encodeLines(events);
      expect(decodeLines(bytes)).toEqual({ events, damagedBytes: 0 });
      expect(lengthOfWholeLines(bytes)).toBe(bytes.length);
    }),
  );
});

test('half a surrogate pair is a letter too', () => {
  expect(decodeLines(encodeLines(['a\ud800b', '\n\r\0\u2028']))).toEqual({
    events: ['a\ud800b', '\n\r\0\u2028'],
    damagedBytes: 0,
  });
});

test('lines that are cut off anywhere give the events before the cut, and tell of the rest', () => {
  fc.assert(
    fc.property(texts, fc.double({ min: 0, max: 1, noNaN: true }), (events, share) => {
      const bytes = encodeLines(events);
      const cut = bytes.subarray(0, Math.floor(share * bytes.length));
      const decoded = decodeLines(cut);
      const torn = cut.length - lengthOfWholeLines(cut);
      expect(decoded.events).toEqual(events.slice(0, decoded.events.length));
      // A line that lost nothing but its line feed is whole.
      const whole = cut.toString().split('\n').length - 1;
      expect([whole, whole + 1]).toContain(decoded.events.length);
      expect(decoded.damagedBytes).toBe(decoded.events.length === whole ? torn : 0);
    }),
  );
});

test('a byte that is another costs the lines that it is in, and no other', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string(), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (events, place, change) => {
        const bytes = encodeLines(events);
        const at = place % bytes.length;
        const line = bytes.subarray(0, at).filter((byte) => byte === 10).length;
        const isFeed = bytes[at] === 10;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const spared = events.filter(
          (_, index) => index !== line && !(isFeed && index === line + 1),
        );
        // The last line does not need its feed… but has a byte more without it.
        const { events: read, damagedBytes } = decodeLines(bytes);
        expect(read).toEqual(spared);
        expect(damagedBytes).toBeGreaterThan(0);
      },
    ),
  );
});

test('what is no line of ours is told, and passed over', () => {
  const [good] = [encodeLines(['good'])];
  const junk = Buffer.from('junk\n\0\0\0\0\n00000000 {}\n');
  expect(decodeLines(Buffer.concat([junk, good, Buffer.from('\n\n'), good]))).toEqual({
    events: ['good', 'good'],
    damagedBytes: 4 + 4 + 11,
  });
  // Right by its checksum, and no text.
  expect(decodeLines(Buffer.from('f4dbdf21 1\n')).events).toEqual([]);
  expect(decodeLines(Buffer.alloc(0))).toEqual({ events: [], damagedBytes: 0 });
});
