import { z } from 'zod';
import { experimentSchema, type ExperimentDocument } from './experiment.ts';
import { layerOverlaps } from './layers.ts';
import { looselyRead, type LooseDocument } from './loose-document.ts';
import { placeOf, type Problem } from './problem.ts';
import { unknownUpstream } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { snapshotSchema } from './snapshot.ts';

type Check = (document: LooseDocument) => readonly Problem[];

/** A text that is no snapshot; the message lists every problem with its place. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the snapshot can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** An experiment to decide by. */
export interface UsableExperiment {
  readonly document: ExperimentDocument;
  /** The document as JSON. */
  readonly text: string;
}

/**
 * What an experiment does that can't be decided by as it is published: as published, with control
 * in the place of variants whose upstream is not here; as before; as before, but killed, as it is
 * published; nothing at all.
 */
export const SHORTFALL_OUTCOMES = ['fallback', 'as-before', 'killed', 'left-out'] as const;
type ShortfallOutcome = (typeof SHORTFALL_OUTCOMES)[number];

/** An experiment that can't be decided by as it is published. */
export interface Shortfall {
  /** Its key; its place, where it has none. */
  readonly experiment: string;
  readonly outcome: ShortfallOutcome;
  /** With their places in the document. */
  readonly problems: readonly string[];
}

/** A published snapshot, as far as it can be used. */
export interface SnapshotReading {
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** What to decide by, in the order in which it is published. */
  readonly experiments: readonly UsableExperiment[];
  readonly shortfalls: readonly Shortfall[];
}

/**
 * Reads what is published.
 *
 * @param text JSON
 * @param before what decides at present: what can't be used of the text stays as it is there
 * @throws {SnapshotError} when nothing of it can be used, with all problems at once
 */
export type ReadSnapshot = (text: string, before: readonly UsableExperiment[]) => SnapshotReading;

/** One experiment of a text, and what is wrong with it. */
interface Entry {
  readonly name: string;
  /** As it is written, read as far as it can be. */
  readonly key: string | undefined;
  readonly isKilled: boolean;
  /** Undefined where something is wrong that is no missing upstream of a variant. */
  readonly usable: UsableExperiment | undefined;
  readonly problems: readonly string[];
}

/** What is around the experiments; those are read one by one. */
const headSchema = snapshotSchema.extend({ experiments: z.array(z.unknown()) });

/**
 * Reads one snapshot after the other. One experiment that can't be used holds up no other, and
 * no kill: it stays as it was, or is left out where it never was. An experiment that stands as
 * it stood in the text before is not checked again.
 *
 * @param upstreams the names that there are here
 * @param check rules that only the caller knows, as for `readConfig`
 */
export function createSnapshotReader(upstreams: readonly string[], check: Check): ReadSnapshot {
  /** By what is written. */
  let known: ReadonlyMap<string, Entry> = new Map();

  return (text, before) => {
    const raw = parsed(text);
    const head = headSchema.safeParse(raw);
    if (!head.success) {
      throw new SnapshotError(
        schemaProblems(head.error, raw).map(({ path, message }) => placeOf(path) + message),
      );
    }
    const { revision, publishedAt, experiments: list } = head.data;
    const entries = new Map<string, Entry>();
    const inOrder = list.map((one, index) => {
      const written = JSON.stringify(one);
      const entry = known.get(written) ?? readEntry(one, index, upstreams, check);
      entries.set(written, entry);
      return entry;
    });
    known = entries;
    return { revision, publishedAt, ...settle(inOrder, before) };
  };
}

function readEntry(raw: unknown, index: number, upstreams: readonly string[], check: Check): Entry {
  const { data: document, error } = experimentSchema.safeParse(raw);
  const loose = looselyRead(raw, document);
  const [experiment] = loose.experiments;
  const key = experiment?.key;
  const lacking = (experiment?.variants ?? []).flatMap(({ upstream }, position) =>
    upstream === undefined || upstreams.includes(upstream)
      ? []
      : [{ position, ...unknownUpstream(upstream, upstreams, ['variants', position, 'upstream']) }],
  );
  const wrong = [
    ...schemaProblems(error, raw),
    ...check(loose).map(({ path, message }) => ({ path: path.slice(2), message })),
    // Control can stand in for another variant, but nothing for control.
    ...lacking.filter(({ position }) => document?.variants[position]?.control !== false),
  ];
  const text = document !== undefined && wrong.length === 0 ? JSON.stringify(document) : undefined;
  return {
    name: key ?? `experiments[${index}]`,
    key,
    isKilled: experiment?.status === 'killed',
    usable: document === undefined || text === undefined ? undefined : { document, text },
    // The schema and a rule of the caller may have found the same.
    problems: [
      ...new Set([...wrong, ...lacking].map(({ path, message }) => placeOf(path) + message)),
    ],
  };
}

/** One experiment, and what it is to be decided by. */
interface Candidate {
  readonly name: string;
  /** Undefined: by nothing. */
  readonly experiment: UsableExperiment | undefined;
  /** Undefined: all is well. */
  readonly shortfall: Pick<Shortfall, 'outcome' | 'problems'> | undefined;
}

/** What to decide by, once all is put side by side: each key once, and no slot of a layer twice. */
function settle(
  entries: readonly Entry[],
  before: readonly UsableExperiment[],
): Pick<SnapshotReading, 'experiments' | 'shortfalls'> {
  const standing = new Map(before.map((experiment) => [experiment.document.key, experiment]));
  const seen = new Set<string>();
  const candidates = entries.map((entry): Candidate => {
    const { key } = entry;
    if (key === undefined || !seen.has(key)) {
      if (key !== undefined) seen.add(key);
      return candidateOf(entry, key === undefined ? undefined : standing.get(key));
    }
    return leftOut(entry.name, [`key: experiment ${JSON.stringify(key)} is there twice`]);
  });
  const apart = leaveOutOverlaps(candidates);
  return {
    experiments: apart.flatMap(({ experiment }) => experiment ?? []),
    shortfalls: apart.flatMap(({ name, shortfall }) =>
      shortfall === undefined ? [] : [{ experiment: name, ...shortfall }],
    ),
  };
}

function candidateOf(entry: Entry, standing: UsableExperiment | undefined): Candidate {
  const { name, usable, problems, isKilled } = entry;
  if (usable !== undefined) {
    const shortfall =
      problems.length === 0 ? undefined : { outcome: 'fallback' as const, problems };
    return { name, experiment: usable, shortfall };
  }
  if (standing === undefined) return leftOut(name, problems);
  if (!isKilled)
    return { name, experiment: standing, shortfall: { outcome: 'as-before', problems } };
  const document: ExperimentDocument = { ...standing.document, status: 'killed' };
  const experiment = { document, text: JSON.stringify(document) };
  return { name, experiment, shortfall: { outcome: 'killed', problems } };
}

/** Of two that claim the same slots the later one is left out, and one that is as before. */
function leaveOutOverlaps(candidates: readonly Candidate[]): readonly Candidate[] {
  const isAsPublished = ({ shortfall }: Candidate): boolean =>
    shortfall === undefined || shortfall.outcome === 'fallback';
  const claiming = [
    ...candidates.filter(isAsPublished),
    ...candidates.filter((candidate) => !isAsPublished(candidate)),
  ].flatMap((candidate) =>
    candidate.experiment === undefined ? [] : [{ candidate, ...candidate.experiment.document }],
  );
  const problems = new Map<Candidate | undefined, string[]>();
  for (const { path, message } of layerOverlaps({ experiments: claiming })) {
    const [, index, ...rest] = path;
    const late = claiming[Number(index)]?.candidate;
    const earlier = problems.get(late) ?? late?.shortfall?.problems ?? [];
    problems.set(late, [...earlier, placeOf(rest) + message]);
  }
  return candidates.map((candidate) => {
    const overlaps = problems.get(candidate);
    return overlaps === undefined ? candidate : leftOut(candidate.name, overlaps);
  });
}

function leftOut(name: string, problems: readonly string[]): Candidate {
  return { name, experiment: undefined, shortfall: { outcome: 'left-out', problems } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SnapshotError([`expected JSON: ${String(error)}`]);
  }
}
