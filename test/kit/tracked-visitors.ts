import { hash } from 'node:crypto';
import type { TrackingEvent } from '@turnout/contracts/event';

/** Visitors of one phase of an experiment, with all that happens to them. */
export interface TrackedVisitors {
  readonly experiment: string;
  readonly events: readonly TrackingEvent[];
  /** What is to be counted of them, by variant; as far as the drain counts it right. */
  readonly expected: ReadonlyMap<string, ExpectedCounts>;
}

export interface ExpectedCounts {
  exposed: number;
  confirmed: number;
  reported: number;
  conversions: number;
  confirmedConversions: number;
}

export interface VisitorsOptions {
  readonly experiment: string;
  readonly visitors: number;
  /** Each variant's share of the visitors, and how many of these convert; both from 0 to 1. */
  readonly variants: Readonly<Record<string, { readonly share: number; readonly rate: number }>>;
  /** In [0, 1). */
  readonly random: () => number;
  /** When the first one comes, in ms since 1970. */
  readonly from: number;
  /** Milliseconds from the first visitor to the last. */
  readonly over: number;
}

/** Of visitors: how many come back, and how many of those who do not convert report that. */
const CONFIRMED = 0.9;
const REPORTING = 0.6;

/**
 * Makes visitors up: each is served a page; most come back; some convert, a few of them after
 * having reported that they did not.
 */
export function trackVisitors(options: VisitorsOptions): TrackedVisitors {
  const { experiment, visitors, random, from, over } = options;
  const expected = new Map<string, ExpectedCounts>();
  const variants = Object.entries(options.variants);
  const events: TrackingEvent[] = [];
  for (let number = 0; number < visitors; number += 1) {
    const variant = draw(variants, random());
    const { rate } = options.variants[variant] ?? { rate: 0 };
    const counts = expected.get(variant) ?? noCounts();
    expected.set(variant, counts);

    const digits = hash('sha256', `${experiment} ${number}`, 'hex');
    const visitor = hash('sha256', `${experiment} ${number}`, 'base64url').slice(0, 22);
    const id = (kind: number) =>
      `01980000-0000-7${kind}00-8${digits.slice(0, 3)}-${digits.slice(3, 15)}`;
    const at = from + Math.floor((number / visitors) * over);
    const edge = `edge-${number % 2}`;
    const place = { visitor, experiment, phase: 1 };
    const result = (kind: number, didConvert: boolean, later: number): TrackingEvent => ({
      kind: 'result',
      eventId: id(kind),
      requestId: id(1),
      ...place,
      variant,
      revision: 1,
      didConvert,
      metric: 'signup',
      value: didConvert ? 12 : null,
      edge,
      at: at + later,
      receivedAt: at + later,
    });

    events.push({
      kind: 'exposure',
      eventId: id(0),
      requestId: id(1),
      ...place,
      revision: 1,
      assigned: variant,
      served: variant,
      bot: 'none',
      edge,
      at,
    });
    counts.exposed += 1;
    const isConfirmed = random() < CONFIRMED;
    if (isConfirmed) {
      events.push({ kind: 'confirmation', eventId: id(2), ...place, at: at + 500 });
      counts.confirmed += 1;
    }
    const isConversion = random() < rate;
    const leftFirst = random() < REPORTING;
    if (leftFirst) events.push(result(3, false, 1_000));
    if (isConversion) events.push(result(4, true, 2_000));
    if (isConversion || leftFirst) counts.reported += 1;
    if (isConversion) counts.conversions += 1;
    if (isConversion && isConfirmed) counts.confirmedConversions += 1;
  }
  return { experiment, events, expected };
}

function draw(variants: readonly (readonly [string, { share: number }])[], at: number): string {
  let left = at;
  for (const [variant, { share }] of variants) {
    left -= share;
    if (left < 0) return variant;
  }
  return variants.at(-1)?.[0] ?? '';
}

function noCounts(): ExpectedCounts {
  return { exposed: 0, confirmed: 0, reported: 0, conversions: 0, confirmedConversions: 0 };
}
