/** What one script may append: a server runs nothing else meanwhile. */
const EVENTS = 1_000;
const CHARACTERS = 1_000_000;

/** Cuts a batch into pieces that a server takes in a few milliseconds each, in order. */
export function* cutIntoPieces(events: readonly string[]): Generator<readonly string[]> {
  let first = 0;
  let size = 0;
  for (const [index, event] of events.entries()) {
    const isFull = index - first === EVENTS || size + event.length > CHARACTERS;
    if (isFull && index > first) {
      yield events.slice(first, index);
      first = index;
      size = 0;
    }
    size += event.length;
  }
  if (first < events.length) yield events.slice(first);
}
