/** Something that is wrong with a definition. */
export interface DefinitionProblem {
  /** Where in the definition: `['scope', 'paths', 0]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A place in a definition that is being read, and the problems found so far. */
export class Place {
  readonly path: readonly (string | number)[];
  readonly problems: DefinitionProblem[];

  constructor(path: readonly (string | number)[] = [], problems: DefinitionProblem[] = []) {
    this.path = path;
    this.problems = problems;
  }

  at(...keys: readonly (string | number)[]): Place {
    return new Place([...this.path, ...keys], this.problems);
  }

  /** Notes a problem. */
  refuse(message: string): undefined {
    this.problems.push({ path: this.path, message });
  }

  /** Notes what was expected here, and what is there where that is one value. */
  expected(expected: string, value: unknown): undefined {
    const isTold = value !== undefined && typeof value !== 'object';
    return this.refuse(isTold ? `${expected}, got ${JSON.stringify(value)}` : expected);
  }

  /** Notes a value of another type, or none at all. */
  expectedType(type: string, value: unknown): undefined {
    return this.refuse(
      value === undefined
        ? `missing (expected ${type})`
        : `expected ${type}, got ${JSON.stringify(value)}`,
    );
  }

  /** The value of `compile`, or the problem that it throws. */
  attempt<Value>(compile: () => Value): Value | undefined {
    try {
      return compile();
    } catch (error) {
      return this.refuse(error instanceof Error ? error.message : String(error));
    }
  }
}
