import type { ExperimentDocument } from '@turnout/contracts/management';

/**
 * An experiment as people edit it. Left out is what the API lays out by itself when weights
 * change, and would contradict weights that were edited.
 */
export async function documentYaml(document: ExperimentDocument): Promise<string> {
  const { moves: _moves, movesEnded: _ended, variants, ...rest } = document;
  const edited = variants.map(({ slots: _slots, ...variant }) => variant);
  const { stringify } = await import('yaml');
  return stringify({ ...rest, variants: edited });
}
