/** There is no ramp of this experiment. */
export class UnknownRamp extends Error {
  override readonly name = 'UnknownRamp';

  constructor(experiment: string) {
    super(`There is no ramp of experiment ${JSON.stringify(experiment)}.`);
  }
}

/** Somebody else's ramp, or change of it, stands in the way. */
export class RampConflict extends Error {
  override readonly name = 'RampConflict';
}
