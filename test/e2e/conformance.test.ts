import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answers } from '../conformance/answers.ts';
import type { Case } from '../conformance/case.ts';
import { chunks } from '../conformance/chunks.ts';
import { forwarding } from '../conformance/forwarding.ts';
import { framing } from '../conformance/framing.ts';
import { interim } from '../conformance/interim.ts';
import { limits } from '../conformance/limits.ts';
import { requestLine } from '../conformance/request-line.ts';
import { runCase } from '../conformance/run.ts';
import { target } from '../conformance/target.ts';
import { webSocket } from '../conformance/websocket.ts';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';

/*
 * The case tables of test/conformance against an edge, bytes in and bytes out. Each case has an
 * upstream of its own behind a host of its own; what is routed to none of them ends at `stray`.
 */

const groups: Readonly<Record<string, readonly Case[]>> = {
  framing,
  chunks,
  'request line and Host': requestLine,
  targets: target,
  limits,
  forwarding,
  'expectations and interim answers': interim,
  answers,
  WebSocket: webSocket,
};
const cases = Object.entries(groups).flatMap(([group, members]) =>
  members.map((given, index) => {
    const host = `${group.replace(/\W.*/, '').toLowerCase()}${index}.test`;
    const upstream = new RawUpstream();
    return { group, given, host, upstream, title: `${given.name} (RFC ${given.rfc})` };
  }),
);
const stray = new RawUpstream();
let edge: EdgeProcess;

beforeAll(async () => {
  const ports = await Promise.all(cases.map(({ upstream }) => upstream.listen()));
  const named = ports.map((port, i) => [`u${i}`, { url: `http://127.0.0.1:${port}` }] as const);
  edge = await startEdge({
    workers: 1,
    config: {
      public: { port: 0, hosts: ['*.test'] },
      upstreams: {
        stray: { url: `http://127.0.0.1:${await stray.listen()}` },
        ...Object.fromEntries(named),
      },
      routes: cases.map(({ host }, i) => ({
        path: '/**',
        host,
        upstream: `u${i}`,
      })),
      default: 'stray',
    },
  });
});

afterAll(async () => {
  for (const { upstream } of cases) upstream.close();
  stray.close();
  await edge.remove();
});

describe.concurrent.each(Object.keys(groups))('%s', (group) => {
  test.each(cases.filter((other) => other.group === group))(
    '$title',
    async ({ host, upstream, given }) => {
      const port = Number(new URL(edge.url).port);
      await expect(runCase(port, host, upstream, given)).resolves.toBeUndefined();
    },
  );
});

test('no request went where none should go, and no worker ended', () => {
  expect(stray.bytes).toBe('');
  expect(edge.logged('worker died')).toEqual([]);
  expect(cases.length).toBeGreaterThan(400);
});
