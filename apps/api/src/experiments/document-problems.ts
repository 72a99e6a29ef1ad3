import { layerOverlaps } from '@turnout/contracts';
import type { ExperimentDocument, Path, Problem } from '@turnout/contracts';
import { ExperimentError, compileExperiment, createTimeSlices } from '@turnout/router-core';

/** How long documents are checked before other work gets its turn, in ms. */
const SLICE = 10;

/** A document that is about to be stored. */
export interface Draft {
  readonly document: ExperimentDocument;
  /** Where it stands in the request, for its problems. */
  readonly at: Path;
  /** What stands in its place. */
  readonly before?: { readonly document: ExperimentDocument } | undefined;
}

/**
 * What is wrong with documents that are about to be stored, beyond their schema: what
 * router-core can not compile, upstreams that are not there, and layers that would overlap,
 * with each other and with the experiments that stay.
 *
 * @param upstreams the names that there are; undefined where nobody knows
 */
export async function documentProblems(
  drafts: readonly Draft[],
  others: readonly ExperimentDocument[],
  upstreams: readonly string[] | undefined,
): Promise<Problem[]> {
  const slice = createTimeSlices(SLICE);
  const uncompilable: Problem[] = [];
  for (const draft of drafts) {
    uncompilable.push(...compileProblems(draft));
    await slice();
  }
  return [
    ...uncompilable,
    ...drafts.flatMap((draft) =>
      upstreams === undefined ? [] : unknownUpstreams(draft, upstreams),
    ),
    ...overlaps(drafts, others),
  ];
}

function compileProblems({ document, at }: Draft): Problem[] {
  try {
    compileExperiment(document);
    return [];
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error;
    return error.problems.map(({ path, message }) => ({ path: [...at, ...path], message }));
  }
}

/** One that stands already is no reason to refuse a kill, or the way back of a ramp. */
function unknownUpstreams(
  { document, at, before }: Draft,
  upstreams: readonly string[],
): Problem[] {
  const standing = before?.document.variants.map(({ upstream }) => upstream) ?? [];
  return document.variants.flatMap(({ upstream }, index) =>
    upstreams.includes(upstream) || standing.includes(upstream)
      ? []
      : [
          {
            path: [...at, 'variants', index, 'upstream'],
            message: `no upstream ${JSON.stringify(upstream)}; there are: ${upstreams.join(', ') || 'none'}`,
          },
        ],
  );
}

function overlaps(drafts: readonly Draft[], others: readonly ExperimentDocument[]): Problem[] {
  // Of two that overlap the later one is told, so the drafts come last.
  const experiments = [...others, ...drafts.map(({ document }) => document)];
  return layerOverlaps({ experiments }).flatMap(({ path, message }) => {
    const [, index, ...rest] = path;
    const draft = drafts[Number(index) - others.length];
    return draft === undefined ? [] : [{ path: [...draft.at, ...rest], message }];
  });
}
