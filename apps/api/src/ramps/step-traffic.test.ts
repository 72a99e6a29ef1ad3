import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TrafficReport } from '@turnout/contracts/traffic';
import { NO_TRAFFIC, addReports, beginStep } from './step-traffic.ts';
import type { StepTraffic } from './step-traffic.ts';

const BOUNDS = [0.1, 0.2];

/** An edge by what it would tell, with a first byte for each of its requests. */
class CountingEdge {
  #starts = 1;
  #requests = 0;

  serve(requests: number): void {
    this.#requests += requests;
  }

  restart(): void {
    this.#starts++;
    this.#requests = 0;
  }

  report(bounds: readonly number[] = BOUNDS): TrafficReport {
    const requests = this.#requests;
    const traffic = { requests, serverErrors: requests, newVisitors: requests };
    const firstByte = [requests, ...bounds.map(() => 0)];
    return {
      run: `start ${this.#starts}`,
      snapshot: 1,
      firstByteBounds: [...bounds],
      variants: [
        { experiment: 'home', variant: 'B', ...traffic, firstByte },
        { experiment: 'other', variant: 'B', ...traffic, firstByte },
      ],
    };
  }
}

/** What an edge tells that has answered each of these variants thrice. */
const reportOf = (variants: readonly string[]): TrafficReport => ({
  run: 'one',
  snapshot: 1,
  firstByteBounds: BOUNDS,
  variants: variants.map((variant) => ({
    experiment: 'home',
    variant,
    requests: 3,
    serverErrors: 0,
    newVisitors: 3,
    firstByte: [3, 0, 0],
  })),
});

const requestsOf = ({ counted }: StepTraffic) => counted['B']?.requests ?? 0;

describe('the traffic of a step', () => {
  test('is what edges served since it began, through restarts and looks that failed', () => {
    const happening = fc.oneof(
      fc.record({ what: fc.constant('serve' as const), edge: fc.nat(2), requests: fc.nat(500) }),
      fc.record({ what: fc.constant('restart' as const), edge: fc.nat(2) }),
      fc.record({ what: fc.constant('look' as const), without: fc.option(fc.nat(2)) }),
      fc.record({ what: fc.constant('step' as const) }),
    );
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const edges = [new CountingEdge(), new CountingEdge(), new CountingEdge()];
        const look = (traffic: StepTraffic, without: number | null): StepTraffic =>
          addReports(
            traffic,
            'home',
            new Map(
              edges.map((edge, index) => [
                `edge ${index}`,
                index === without ? undefined : edge.report(),
              ]),
            ),
          );
        let traffic = look(NO_TRAFFIC, null);
        // Served since the last look at each edge: a restart takes these with it.
        const unseen = [0, 0, 0];
        let expected = 0;
        for (const one of happenings) {
          if (one.what === 'serve') {
            edges[one.edge]?.serve(one.requests);
            unseen[one.edge] = (unseen[one.edge] ?? 0) + one.requests;
          } else if (one.what === 'restart') {
            edges[one.edge]?.restart();
            unseen[one.edge] = 0;
          } else if (one.what === 'look') {
            traffic = look(traffic, one.without);
            for (const [index, requests] of unseen.entries()) {
              if (index === one.without) continue;
              expected += requests;
              unseen[index] = 0;
            }
          } else {
            traffic = beginStep(look(traffic, null));
            expected = 0;
            unseen.fill(0);
          }
          expect(requestsOf(traffic)).toBe(expected);
        }
        expect(traffic.counted['B']?.firstByte ?? [expected, 0, 0]).toEqual([expected, 0, 0]);
      }),
    );
  });

  test('counts an edge that is new from its first report on', () => {
    const edge = new CountingEdge();
    edge.serve(1_000);
    let traffic = addReports(NO_TRAFFIC, 'home', new Map([['new', edge.report()]]));
    expect(requestsOf(traffic)).toBe(0);
    edge.serve(7);
    traffic = addReports(traffic, 'home', new Map([['new', edge.report()]]));
    expect(requestsOf(traffic)).toBe(7);
  });

  test('sorts first bytes of an edge with other bounds into the first ones, never for faster', () => {
    const [first, second] = [new CountingEdge(), new CountingEdge()];
    const reports = () =>
      new Map([
        ['first', first.report()],
        ['second', second.report([0.15, 0.3])],
      ]);
    let traffic = addReports(NO_TRAFFIC, 'home', reports());
    first.serve(3);
    second.serve(5);
    traffic = addReports(traffic, 'home', reports());
    expect(traffic.firstByteBounds).toEqual(BOUNDS);
    expect(traffic.counted['B']?.firstByte).toEqual([3, 5, 0]);
  });

  test('never falls, whatever an edge tells', () => {
    const edge = new CountingEdge();
    edge.serve(10);
    const traffic = addReports(NO_TRAFFIC, 'home', new Map([['odd', edge.report()]]));
    const report = { ...new CountingEdge().report(), run: edge.report().run };
    expect(requestsOf(addReports(traffic, 'home', new Map([['odd', report]])))).toBe(0);
  });

  test('is counted by variant, even by one whose key every object has', () => {
    const first = addReports(NO_TRAFFIC, 'home', new Map([['edge', reportOf(['control'])]]));
    const next = new Map([['edge', reportOf(['control', 'constructor'])]]);
    const { counted } = addReports(first, 'home', next);
    expect(counted).toMatchObject({ control: { requests: 0 }, constructor: { requests: 3 } });
  });
});
