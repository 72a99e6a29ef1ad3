import type { ExperimentDocument, Path, Problem } from '@turnout/contracts';

/** The problem of a name that is no variant's; none otherwise. */
export function unknownVariant(
  { variants }: Pick<ExperimentDocument, 'variants'>,
  name: string,
  path: Path,
): Problem[] {
  const keys = variants.map(({ key }) => key);
  if (keys.includes(name)) return [];
  return [{ path, message: `no variant ${JSON.stringify(name)}; there are ${keys.join(', ')}` }];
}
