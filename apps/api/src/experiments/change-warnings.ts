import type { ExperimentDocument } from '@turnout/contracts';
import { findShadows } from '@turnout/router-core';

/** What a change makes of one experiment. */
interface ChangedDocument {
  readonly before: ExperimentDocument | undefined;
  readonly after: ExperimentDocument;
}

/**
 * What changes do that may not be meant, by the key of the experiment that was changed.
 *
 * @param others the experiments that stay as they are
 */
export function changeWarnings(
  changed: readonly ChangedDocument[],
  others: readonly ExperimentDocument[],
): ReadonlyMap<string, readonly string[]> {
  const warnings = new Map<string, string[]>(
    changed.map((change) => [
      change.after.key,
      [...archiveWarnings(change), ...coverageWarnings(change)],
    ]),
  );
  // In the order of the snapshot, which decides among equals.
  const all = [...others, ...changed.map(({ after }) => after)].toSorted((one, other) =>
    one.key < other.key ? -1 : 1,
  );
  for (const { experiment, by } of findShadows(all, (key) => warnings.has(key))) {
    const told = warnings.get(experiment.key) ?? warnings.get(by.key);
    told?.push(
      `${experiment.key} gets no visitor: every page of it is in the scope of ${by.key} (${by.status}), which comes first. ` +
        `Give ${experiment.key} a higher priority, give both a layer with slots of their own, or narrow the scope of ${by.key}.`,
    );
  }
  return warnings;
}

/** Up to 100, what was meant may have been a percentage. */
function coverageWarnings({ before, after: { key, coverage } }: ChangedDocument): string[] {
  if (coverage === before?.coverage || coverage === 0 || coverage > 100) return [];
  return [
    `The coverage ${coverage} of ${key} is ${coverage / 100} % of the visitors: it is in slots of 0.01 %. ` +
      `If ${coverage} % was meant, write ${coverage * 100}.`,
  ];
}

function archiveWarnings({
  before,
  after: { key, status, winner, variants },
}: ChangedDocument): string[] {
  const upstream = variants.find((variant) => variant.key === winner)?.upstream;
  return status === 'archived' && before?.status === 'concluded' && upstream !== undefined
    ? [
        `Visitors of ${key} get the winner ${winner} (${upstream}) no more, but what routes, other experiments and \`default\` of turnout.yaml say. ` +
          `If that is not ${upstream}, change turnout.yaml first.`,
      ]
    : [];
}
