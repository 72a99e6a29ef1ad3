import { expect, test } from 'vitest';
import { readableBy } from './screen-logs.ts';

const readable = readableBy({ write: () => undefined, isTerminal: false, colour: false });

test('a request is told in short', () => {
  const line =
    '{"level":30,"time":1,"process":"edge-worker","method":"GET","path":"/next","status":200,"upstream":"next","ms":85.4,"msg":"request"}';
  expect(readable(line)).toBe('GET /next 200 next 85 ms');
});

test("pino's lines become readable, on one line", () => {
  const line =
    '{"level":30,"time":1700000000000,"pid":7,"process":"edge","port":80,"msg":"serving"}';
  expect(readable(line)).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: serving \{"port":80\}$/);
});

test('other lines stay as they are', () => {
  expect(readable('▲ Next.js ready')).toBe('▲ Next.js ready');
  expect(readable('{"level":30,"cut off')).toBe('{"level":30,"cut off');
});
