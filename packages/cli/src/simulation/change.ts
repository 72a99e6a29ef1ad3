import { isDeepStrictEqual } from 'node:util';
import type { ExperimentDocument } from '@turnout/contracts';

/**
 * All experiments once a file is applied to those that there are: what it names takes the place
 * of what has the key, or comes last. One that says the same is the very same as before.
 */
export function applied(
  before: readonly ExperimentDocument[],
  file: readonly ExperimentDocument[],
): ExperimentDocument[] {
  const named = new Map(file.map((document) => [document.key, document]));
  const known = new Set(before.map(({ key }) => key));
  return [
    ...before.map((document) => {
      const wanted = named.get(document.key);
      return wanted === undefined || saysTheSame(document, wanted) ? document : wanted;
    }),
    ...file.filter(({ key }) => !known.has(key)),
  ];
}

/** But for what follows from history, as the API compares them. */
function saysTheSame(before: ExperimentDocument, wanted: ExperimentDocument): boolean {
  return isDeepStrictEqual(said(before), said(wanted)) && wanted.phase <= before.phase;
}

function said(document: ExperimentDocument) {
  const { revision: _r, phase: _p, moves: _m, movesEnded: _e, variants, ...rest } = document;
  return { ...rest, variants: variants.map(({ slots: _s, ...variant }) => variant) };
}
