import type { ExperimentResults } from '@turnout/contracts/results';
import { analyze } from '@turnout/stats';

/** Results of two variants, as the API gives them; for tests of how they are shown. */
export function sampleResults(changes: Partial<ExperimentResults> = {}): ExperimentResults {
  const analysis = analyze({
    arms: [
      { key: 'control', weight: 50, visitors: 20_000, conversions: 1_000 },
      { key: 'A', weight: 50, visitors: 20_000, conversions: 1_400 },
    ],
  });
  return {
    experiment: 'home',
    status: 'running',
    phase: 2,
    metric: 'signup',
    metrics: ['signup'],
    at: '2026-11-24T12:00:00.000Z',
    trust: { level: 'sound', sentence: 'The split is as planned (p 1).', findings: [] },
    verdict: 'A converts better than control.',
    warnings: [{ kind: 'short', message: 'It has run for 3 full days.' }],
    excluded: [
      { what: 'bots', visitors: 1_234, why: 'They say so.' },
      { what: 'previews', visitors: null, why: 'Never recorded.' },
    ],
    counts: {
      experiment: 'home',
      phase: 2,
      metric: 'signup',
      variants: [],
      slices: [],
      inTwoVariants: 0,
      bots: 1_234,
    },
    analyses: { raw: analysis, confirmed: analysis },
    ...changes,
  };
}

/** The same with a broken split, and nothing that nobody asked to see. */
export function withheldResults(): ExperimentResults {
  const { analyses, ...sample } = sampleResults();
  const withheld = {
    ...analyses.raw,
    comparisons: [],
    verdict: { kind: 'withheld', reason: 'sample-ratio' },
  } as const;
  return {
    ...sample,
    trust: { level: 'broken', sentence: 'The split is broken.', findings: ['By day, on Friday.'] },
    verdict: 'The verdict is withheld.',
    analyses: { raw: withheld, confirmed: withheld },
  };
}
