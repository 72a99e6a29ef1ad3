/**
 * The order in which experiments are asked whether a request is theirs: the highest priority
 * first, and among equals the order in which they were given.
 */
export function byPriority<Item extends { readonly priority?: number | undefined }>(
  definitions: readonly Item[],
): Item[] {
  // Sorting keeps the order of equals.
  return definitions.toSorted((one, other) => (other.priority ?? 0) - (one.priority ?? 0));
}
