/** A phase that the experiment has not come to. */
export class UnknownPhase extends Error {
  override readonly name = 'UnknownPhase';

  constructor(key: string, phase: number, present: number) {
    super(`${key} has no phase ${phase}; the present one is ${present}.`);
  }
}

/** Nobody said which metric the results are to be of. */
export class NoMetric extends Error {
  override readonly name = 'NoMetric';

  /** @param metrics what there is to choose from */
  constructor(key: string, metrics: readonly string[]) {
    super(
      metrics.length === 0
        ? `Nothing was reported for ${key} yet, and it has no plan that names a metric. Name one as ?metric=.`
        : `Several metrics were reported for ${key}, and it has no plan that names one. Name one as ?metric=: ${metrics.join(', ')}.`,
    );
  }
}
