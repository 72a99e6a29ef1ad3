import type { Problem } from '@turnout/contracts';
import type { ExperimentRecord } from '@turnout/contracts/management';

/** There is no experiment with this key. */
export class UnknownExperiment extends Error {
  override readonly name = 'UnknownExperiment';

  constructor(key: string) {
    super(`There is no experiment ${JSON.stringify(key)}.`);
  }
}

/** The change was made from another revision than the one that stands; `current` is that one. */
export class StaleRevision extends Error {
  override readonly name = 'StaleRevision';
  readonly current: ExperimentRecord;

  constructor(current: ExperimentRecord, from: number | undefined) {
    super(
      from === undefined
        ? `Experiment ${JSON.stringify(current.key)} is there already, at revision ${current.revision}. ` +
            'Change it instead, from that revision.'
        : `Experiment ${JSON.stringify(current.key)} is at revision ${current.revision}, ` +
            `the change was made from ${from}. Look at what changed, and make it again from ${current.revision}.`,
    );
    this.current = current;
  }
}

/** The change leads to experiments that can not be; the message counts, `problems` names each. */
export class InvalidChange extends Error {
  override readonly name = 'InvalidChange';
  /** Paths are those of the request. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const [first] = problems;
    super(
      problems.length === 1 && first !== undefined
        ? `The change can not be made: ${first.message}.`
        : `The change can not be made, ${problems.length} problems; \`errors\` names each.`,
    );
    this.problems = problems;
  }
}

/** What was to be stored along with the change has been changed by somebody else meanwhile. */
export class OvertakenChange extends Error {
  override readonly name = 'OvertakenChange';

  constructor() {
    super('What belongs to the change was changed meanwhile.');
  }
}

/** More changes wait than can be made soon. */
export class TooManyChanges extends Error {
  override readonly name = 'TooManyChanges';

  constructor() {
    super('Too many changes are under way at once. Try again in a second.');
  }
}
