import { layerOverlaps } from './layers.ts';
import { readLoosely, type LooseDocument } from './loose-document.ts';
import { placeOf, type Problem } from './problem.ts';
import { brokenReferences } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { snapshotSchema, type Snapshot } from './snapshot.ts';

/** A snapshot that can't be used; the message lists every problem with its place. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the snapshot can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads a published snapshot.
 *
 * @param text JSON
 * @param upstreams the names that its experiments may refer to
 * @param check rules that only the caller knows, as for `readConfig`
 * @throws {SnapshotError} with all problems at once
 */
export function readSnapshot(
  text: string,
  upstreams: readonly string[],
  check: (document: LooseDocument) => readonly Problem[] = () => [],
): Snapshot {
  const raw = parsed(text);
  const result = snapshotSchema.safeParse(raw);
  const experiments =
    typeof raw === 'object' && raw !== null && 'experiments' in raw ? raw.experiments : [];
  const document = readLoosely({
    upstreams: Object.fromEntries(upstreams.map((name) => [name, {}])),
    experiments,
  });
  const problems = [
    ...schemaProblems(result.error, raw),
    ...[brokenReferences, layerOverlaps, check].flatMap((rule) => rule(document)),
  ].map(({ path, message }) => placeOf(path) + message);
  if (result.success && problems.length === 0) return result.data;
  // The schema and a rule of the caller may have found the same.
  throw new SnapshotError([...new Set(problems)]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SnapshotError([`expected JSON: ${String(error)}`]);
  }
}
