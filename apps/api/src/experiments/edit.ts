import type { ExperimentDocument, Path } from '@turnout/contracts';

interface EditOf<Kind extends string> {
  readonly kind: Kind;
  readonly key: string;
  /** Where the document stands in the request: the beginning of its problems' paths. */
  readonly at: Path;
}

/** A new experiment; there may be none with its key. */
interface Creation extends EditOf<'create'> {
  readonly document: ExperimentDocument;
}

/** A document that takes the place of what is there, or is the first. */
interface Placement extends EditOf<'place'> {
  readonly document: ExperimentDocument;
  /** The revision that it was made from, 0 if there was none; whichever stands unless given. */
  readonly from?: number | undefined;
}

/** A change of what is there. */
export interface Alteration extends EditOf<'alter'> {
  /** The revision that it was made from; whichever stands unless given. */
  readonly from?: number | undefined;
  /** May return a document that is no valid one: it is checked. */
  readonly alter: (before: ExperimentDocument) => ExperimentDocument;
}

/** What is to be done with one experiment, whatever stands when it is done. */
export type Edit = Creation | Placement | Alteration;
