import { request } from 'node:http';

// A process of its own, so that nothing else keeps it from its clock. Opens a new connection
// every few milliseconds and asks for one page; at a message it answers with how long the
// slowest page took since the message before.

/** Where to knock. */
export interface KnockOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came of it since the order before. */
export interface Knocks {
  readonly answered: number;
  readonly failed: number;
  /** From the new connection to the end of its answer, in ms. */
  readonly slowest: number;
}

const EVERY = 10;

let order: KnockOrder | undefined;
let knocks = { answered: 0, failed: 0, slowest: 0 };

process.once('disconnect', () => process.exit());
process.on('message', (next: KnockOrder) => {
  order = next;
  process.send?.(knocks satisfies Knocks);
  knocks = { answered: 0, failed: 0, slowest: 0 };
});
setInterval(() => {
  if (order !== undefined) knock(order);
}, EVERY);

function fail(): void {
  knocks.failed++;
}

function knock({ url, headers }: KnockOrder): void {
  const began = performance.now();
  const asked = request(url, { headers, agent: false }, (response) => {
    response.on('error', fail);
    response.on('end', () => {
      if ((response.statusCode ?? 500) >= 400) return fail();
      knocks.answered++;
      knocks.slowest = Math.max(knocks.slowest, performance.now() - began);
    });
    response.resume();
  });
  asked.on('error', fail);
  asked.end();
}
