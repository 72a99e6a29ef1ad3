import { expect, test } from 'vitest';
import { readableBy } from './screen-logs.ts';

const readable = readableBy({ write: () => undefined, isTerminal: false, colour: false });

test("pino's lines become readable, on one line", () => {
  const line =
    '{"level":30,"time":1700000000000,"pid":7,"process":"edge","port":80,"msg":"serving"}';
  expect(readable(line)).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: serving \{"port":80\}$/);
});

test('other lines stay as they are', () => {
  expect(readable('▲ Next.js ready')).toBe('▲ Next.js ready');
  expect(readable('{"level":30,"cut off')).toBe('{"level":30,"cut off');
});
