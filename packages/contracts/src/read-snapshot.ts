import type { ExperimentDocument } from './experiment.ts';
import { isMapping } from './is-mapping.ts';
import { layerOverlaps } from './layers.ts';
import { readLoosely, type LooseDocument } from './loose-document.ts';
import { placeOf, type Problem } from './problem.ts';
import { brokenReferences, repeatedExperiments } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { snapshotSchema, type Snapshot } from './snapshot.ts';

type Check = (document: LooseDocument) => readonly Problem[];
type Mapping = Readonly<Record<string, unknown>>;

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
  check: Check = () => [],
): Snapshot {
  return readParsed(parsed(text), upstreams, check);
}

/**
 * Reads one snapshot after the other, each as `readSnapshot` does. An experiment that stands in
 * one as it stood in the last is not checked again: a change of one among a thousand must not
 * keep the process from all else for seconds.
 */
export function createSnapshotReader(
  upstreams: readonly string[],
  check: Check,
): (text: string) => Snapshot {
  let known: ReadonlyMap<string, ExperimentDocument> = new Map();

  /** Undefined where anything is wrong: then all is to be checked together, and told. */
  function readNews(raw: Mapping, list: readonly unknown[], written: readonly string[]) {
    const news = list.filter((_, index) => !known.has(written[index] ?? ''));
    let read: Snapshot;
    try {
      read = readParsed({ ...raw, experiments: news }, upstreams, check);
    } catch (error) {
      if (error instanceof SnapshotError) return undefined;
      throw error;
    }
    const checked = read.experiments.values();
    const experiments = written.flatMap((text) => known.get(text) ?? checked.next().value ?? []);
    const isWhole = [repeatedExperiments, layerOverlaps].every(
      (rule) => rule({ experiments }).length === 0,
    );
    return isWhole ? { ...read, experiments } : undefined;
  }

  return (text) => {
    const raw = parsed(text);
    if (!isMapping(raw) || !Array.isArray(raw['experiments'])) {
      return readParsed(raw, upstreams, check);
    }
    const list: readonly unknown[] = raw['experiments'];
    const written = list.map((one) => JSON.stringify(one));
    const snapshot = readNews(raw, list, written) ?? readParsed(raw, upstreams, check);
    known = new Map(
      snapshot.experiments.map((experiment, index) => [written[index] ?? '', experiment]),
    );
    return snapshot;
  };
}

function readParsed(raw: unknown, upstreams: readonly string[], check: Check): Snapshot {
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
