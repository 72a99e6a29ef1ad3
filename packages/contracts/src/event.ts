import { z } from 'zod';
import { BOT_CLASSES } from './predicate.ts';

/**
 * What happens to visitors, on its way from the edges to SQL. Every event has an id, so that
 * one which comes twice changes nothing. Identity and variant are the edge's to fill in, from
 * the signed cookie; a browser only says what it wants counted.
 */

const key = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);
const variantKey = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
const visitor = z.string().regex(/^[A-Za-z0-9_-]{22}$/);
const count = z.int().min(1).max(999_999_999);
/** Milliseconds since 1970; up to the year 9999, the last one that SQL knows. */
const time = z.int().min(0).max(253_402_300_799_999);
/** Held within what sums of squares can bear. */
const value = z.number().min(-1e12).max(1e12);
const uuid = z.uuid();

/** A visitor was served a page of an experiment: once per visitor, experiment and phase. */
export const exposureSchema = z.strictObject({
  kind: z.literal('exposure'),
  eventId: uuid,
  requestId: uuid,
  visitor,
  experiment: key,
  phase: count,
  revision: count,
  /** The variant that the visitor is assigned to: the analysis goes by it. */
  assigned: variantKey,
  /** The variant whose page it was; another one where control stood in for it. */
  served: variantKey,
  bot: z.enum(BOT_CLASSES),
  /** The edge node that served it. */
  edge: z.string().min(1).max(64),
  at: time,
});

/** A visitor's cookie came back on a later request: whoever sent it keeps cookies, as people do. */
export const confirmationSchema = z.strictObject({
  kind: z.literal('confirmation'),
  eventId: uuid,
  visitor,
  experiment: key,
  phase: count,
  at: time,
});

/** A test result: the visitor did convert, or did not. */
export const testResultSchema = z.strictObject({
  kind: z.literal('result'),
  eventId: uuid,
  /** Of the request whose page it is about; null where that is not known. */
  requestId: uuid.nullable(),
  visitor,
  experiment: key,
  variant: variantKey,
  phase: count,
  revision: count,
  didConvert: z.boolean(),
  metric: key,
  /** What the conversion was worth, in the metric's own unit; null where it has none. */
  value: value.nullable(),
  edge: z.string().min(1).max(64),
  /** When it happened, by the browser's clock, held within bounds by the edge. */
  at: time,
  /** When the edge took it. */
  receivedAt: time,
});

export const eventSchema = z.discriminatedUnion('kind', [
  exposureSchema,
  confirmationSchema,
  testResultSchema,
]);

export type Exposure = z.infer<typeof exposureSchema>;
export type Confirmation = z.infer<typeof confirmationSchema>;
export type TestResult = z.infer<typeof testResultSchema>;
export type TrackingEvent = z.infer<typeof eventSchema>;

/** One test result as a frontend posts it. */
export const reportedResultSchema = z.strictObject({
  /** Made by whoever reports it, once, and sent again with each retry. */
  event_id: uuid,
  metric: key,
  did_convert: z.boolean(),
  /** JSON has no NaN: what a page could not compute comes as null, and is none. */
  value: value.nullable().exactOptional(),
  /** ISO 8601, or milliseconds since 1970; now unless given. A clock may say anything. */
  occurred_at: z.union([z.iso.datetime({ offset: true }), z.int()]).exactOptional(),
  /** The X-Request-Id of the page; must be one of the visitor's own. */
  request_id: uuid.exactOptional(),
  /** All experiments that the visitor is in, unless given. */
  experiment: key.exactOptional(),
  /** Refused where it is not the visitor's own. */
  variant: variantKey.exactOptional(),
  session_id: visitor.exactOptional(),
});

/** `POST /_turnout/v1/events` */
export const reportSchema = z.strictObject({
  events: z.array(reportedResultSchema).min(1).max(50),
});
export type Report = z.input<typeof reportSchema>;
