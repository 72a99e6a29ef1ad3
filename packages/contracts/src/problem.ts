/** Where a value stands in the document: `['routes', 0, 'path']`. */
export type Path = readonly PropertyKey[];

/** Something in the configuration that can't be used. */
export interface Problem {
  readonly path: Path;
  /** Says what was expected and what was there; goes behind the value's place and name. */
  readonly message: string;
}

/** A path as people read it: `experiments[0].variants`. */
export function pathName(path: Path): string {
  return path.reduce<string>(
    (so, key) => (typeof key === 'number' ? `${so}[${key}]` : `${so}${so && '.'}${String(key)}`),
    '',
  );
}

/** `experiments[0].variants: `, or nothing for the whole document. */
export function placeOf(path: Path): string {
  return path.length === 0 ? '' : `${pathName(path)}: `;
}
