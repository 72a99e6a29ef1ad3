import type { ExperimentDocument } from '@turnout/contracts';
import type { SimulatedExperiment, Split } from '@turnout/router-core';
import { count, percent } from '../numbers.ts';
import { table } from '../table.ts';
import type { SimulationResult } from './run.ts';

/** Per experiment: the split before and after, and who would move from where to where. */
export function showSimulation(
  { simulation, newVisitors }: SimulationResult,
  documents: readonly ExperimentDocument[],
): string {
  return simulation.experiments
    .map((experiment) =>
      showExperiment(
        experiment,
        newVisitors.experiments.find((other) => other.experiment === experiment.experiment)?.after,
        documents.find(({ key }) => key === experiment.experiment)?.variants.map(({ key }) => key),
      ),
    )
    .join('\n\n');
}

function showExperiment(
  { experiment, visitors, before, after, transitions, moved }: SimulatedExperiment,
  fresh: Split = {},
  variants: readonly string[] = [],
): string {
  // Variants as the document has them, then where others are.
  const seen = [before, after, fresh].flatMap((split) => Object.keys(split));
  const places = [...new Set([...variants, ...seen])];
  const split = table(
    [
      { title: 'VARIANT' },
      { title: 'BEFORE', align: 'right' },
      { title: 'AFTER', align: 'right' },
      { title: 'NEW VISITORS', align: 'right' },
    ],
    places.map((place) => [place, ...[before, after, fresh].map((each) => shareOf(place, each))]),
  );
  const moves = Object.entries(transitions).flatMap(([from, targets]) =>
    Object.entries(targets)
      .filter(([to]) => to !== from)
      .map(([to, number]) => [from, to, count(number), percent(number / sum(targets))]),
  );
  const lines = [
    `${count(visitors)} visitors`,
    ...split.split('\n'),
    ...(moved === 0 ? ['Nobody who has a variant would move.'] : []),
    ...(moves.length === 0
      ? []
      : [
          `${count(moved)} of those who have a variant would move:`,
          ...table(
            [
              { title: 'FROM' },
              { title: 'TO' },
              { title: 'VISITORS', align: 'right' },
              { title: 'OF FROM', align: 'right' },
            ],
            moves,
          ).split('\n'),
        ]),
  ];
  return [experiment, ...lines.map((line) => `  ${line}`)].join('\n');
}

function shareOf(place: string, split: Split): string {
  const total = sum(split);
  return total === 0 ? '–' : percent((split[place] ?? 0) / total);
}

function sum(split: Split): number {
  return Object.values(split).reduce((total, number) => total + number, 0);
}
