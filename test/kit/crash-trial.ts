import { randomUUID } from 'node:crypto';
import { countsOf, createShoppers, type Shoppers } from './shoppers.ts';
import {
  EXPERIMENT,
  VICTIMS,
  startTrackedSite,
  type TrackedSite,
  type Victim,
} from './tracked-site.ts';
import { auditTracking, type TrackingAudit } from './tracking-audit.ts';
import { countedTotals, recountedTotals } from './tracking-totals.ts';
import type { ExpectedCounts } from './tracked-visitors.ts';

/** Milliseconds that a victim stays away, at most. */
const DOWNTIME = 500;
const RATES = { control: 0.05, a: 0.05, b: 0.07 };
/** Of all visitors: no crash begins when more of them are done. */
const LAST_CRASH = 0.95;

export interface CrashTrialOptions {
  readonly visitors: number;
  /** How often each victim is ended. */
  readonly crashes: Readonly<Partial<Record<Victim, number>>>;
  /** In [0, 1): who signs up, and when which process ends. */
  readonly random: () => number;
  /** Told of each crash, and how many visitors were done then. */
  readonly onCrash?: (victim: Victim, done: number) => void;
}

/** What became of visitors, from their first page to what the API shows of them. */
export interface CrashTrial {
  /** Milliseconds from the first visitor to the last. */
  readonly took: number;
  /** Requests that were made again. */
  readonly retries: number;
  /** First pages that broke off: there may be as many strangers. */
  readonly brokenFirstPages: number;
  /** SQL against what visitors had been answered, before anybody came back. */
  readonly before: TrackingAudit;
  /** The same once those who never reported have opened one more page. */
  readonly after: TrackingAudit;
  /** By variant: what is to be counted; and what is, in totals, rows, and the API's answer. */
  readonly expected: ReadonlyMap<string, ExpectedCounts>;
  readonly totals: ReadonlyMap<string, ExpectedCounts>;
  readonly recounted: ReadonlyMap<string, ExpectedCounts>;
  readonly shown: ReadonlyMap<string, ExpectedCounts>;
}

/** Lets visitors come to a site of their own, while its processes are killed at random moments. */
export async function runCrashTrial(options: CrashTrialOptions): Promise<CrashTrial> {
  const { visitors, random } = options;
  const site = await startTrackedSite();
  const shoppers = createShoppers({ url: site.url, rates: RATES, random, newEventId: randomUUID });
  const audit = () => auditTracking(site.mysqlUrl, EXPERIMENT, shoppers.done);
  try {
    const began = performance.now();
    await Promise.all([shoppers.come(visitors), crashAll(site, shoppers, options)]);
    const took = performance.now() - began;
    await site.drained();
    const before = await audit();
    await shoppers.comeBack();
    // What the workers still gather is told at the end of the edge, unless a spool holds it.
    await site.drained();
    await site.stopEdge();
    await site.drained();
    const after = await audit();
    return {
      took,
      retries: shoppers.retries,
      brokenFirstPages: shoppers.brokenFirstPages,
      before,
      after,
      expected: countsOf(shoppers.done, after.strangers),
      totals: await countedTotals(site.mysqlUrl, EXPERIMENT),
      recounted: await recountedTotals(site.mysqlUrl, EXPERIMENT),
      shown: await shownCounts(site),
    };
  } finally {
    await shoppers.close();
    await site.stop();
  }
}

/** Each victim at moments of its own, so that several may be away at a time. */
async function crashAll(
  site: TrackedSite,
  shoppers: Shoppers,
  { visitors, crashes, random, onCrash }: CrashTrialOptions,
): Promise<void> {
  const moments = VICTIMS.map((victim) => {
    const times = crashes[victim] ?? 0;
    const turns = Array.from({ length: times }, (_, turn) => ({
      at: Math.floor((visitors * LAST_CRASH * (turn + random())) / times),
      downtime: random() * DOWNTIME,
      which: random(),
    }));
    return { victim, turns };
  });
  await Promise.all(
    moments.map(async ({ victim, turns }) => {
      for (const { at, downtime, which } of turns) {
        await shoppers.reached(at);
        onCrash?.(victim, shoppers.done.length);
        await site.crash(victim, downtime, which);
      }
    }),
  );
}

async function shownCounts(site: TrackedSite): Promise<Map<string, ExpectedCounts>> {
  const { counts } = await site.results();
  return new Map(
    counts.variants
      .toSorted((a, b) => (a.variant < b.variant ? -1 : 1))
      .map(({ variant, exposed, confirmed, reported, conversions, confirmedConversions }) => [
        variant,
        { exposed, confirmed, reported, conversions, confirmedConversions },
      ]),
  );
}
