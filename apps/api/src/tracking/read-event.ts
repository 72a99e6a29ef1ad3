import { schemaProblems } from '@turnout/contracts';
import { eventSchema } from '@turnout/contracts/event';
import type { TrackingEvent } from '@turnout/contracts/event';

/** What a text of the event log holds: an event, or why it is none. */
export type ReadEvent =
  | { readonly kind: 'event'; readonly event: TrackingEvent; readonly text: string }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly text: string };

/** What an error says of itself, at most; as long as the column is. */
const LONGEST_REASON = 2_000;

export function readEvent(text: string): ReadEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error), text };
  }
  const { data, error } = eventSchema.safeParse(value);
  if (error === undefined) return { kind: 'event', event: data, text };
  const reason = schemaProblems(error, value)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ');
  return { kind: 'unreadable', reason: reason.slice(0, LONGEST_REASON), text };
}

export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.slice(0, LONGEST_REASON);
}
