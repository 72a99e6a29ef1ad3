/** What one round of one contender came to. */
export interface Sample {
  /** Answers received. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time of the contender's processes for each request, in µs. */
  readonly cpu: number;
}

/** One contender in one scenario. */
export interface Series {
  readonly contender: string;
  /** In the order of the rounds. */
  readonly samples: readonly Sample[];
}

/** A ratio over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A contender's figures, and how they compare. */
export interface Summary extends Series {
  /** Of each figure over the rounds. */
  readonly median: Sample;
  /** Against the reference in the same round; absent when it did not run. */
  readonly ratio?: { readonly requestsPerSecond: Spread; readonly cpu: Spread };
}

/** @throws {RangeError} for no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) {
    throw new RangeError('Expected at least one value to take the median of, got none');
  }
  return (lower + upper) / 2;
}

/**
 * Medians, and ratios to `reference`. Ratios are taken round by round: a busy moment of the
 * machine then weighs on both sides.
 */
export function summarise(all: readonly Series[], reference: string): Summary[] {
  const base = all.find(({ contender }) => contender === reference);
  return all.map(({ contender, samples }) => ({
    contender,
    samples,
    median: {
      requests: median(samples.map(({ requests }) => requests)),
      requestsPerSecond: median(samples.map(({ requestsPerSecond }) => requestsPerSecond)),
      p50: median(samples.map(({ p50 }) => p50)),
      p99: median(samples.map(({ p99 }) => p99)),
      cpu: median(samples.map(({ cpu }) => cpu)),
    },
    ...(base && {
      ratio: {
        requestsPerSecond: ratio(samples, base.samples, 'requestsPerSecond'),
        cpu: ratio(samples, base.samples, 'cpu'),
      },
    }),
  }));
}

function ratio(
  samples: readonly Sample[],
  base: readonly Sample[],
  figure: 'requestsPerSecond' | 'cpu',
): Spread {
  const ratios = samples.flatMap((sample, round) => {
    const other = base[round];
    return other === undefined ? [] : [sample[figure] / other[figure]];
  });
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}
