import type { ExperimentDocument, Predicate } from '@turnout/contracts';
import { findShadows } from '@turnout/router-core';
import { error, ok, warning, type Finding } from '../finding.ts';
import type { Survey } from '../survey.ts';

/** Whether experiments do what those who wrote them down most likely meant. */
export function checkExperiments({
  config: { experiments = [], countryHeader, routes },
}: Pick<Survey, 'config'>): Finding[] {
  const findings = [
    ...shadowFindings(experiments),
    ...experiments.flatMap((experiment) => [
      ...weightFindings(experiment),
      ...coverageFindings(experiment),
    ]),
    ...(countryHeader === undefined ? countryFindings(experiments, routes) : []),
  ];
  if (findings.length > 0 || experiments.length === 0) return findings;
  return [ok('experiments', experiments.map(({ key, status }) => `${key}: ${status}`).join(', '))];
}

/** Experiments that get no visitor, since an earlier one takes all of them. */
function shadowFindings(experiments: readonly ExperimentDocument[]): Finding[] {
  return findShadows(experiments).map(({ experiment, by }) =>
    error({
      where: `experiments.${experiment.key}`,
      expected: 'pages that no earlier experiment takes for all its visitors',
      got: `every page of it is in the scope of ${by.key} (${by.status}), which comes first`,
      fix: `Give it a higher priority than ${by.key}, give both a layer with slots of their own, or narrow the scope of ${by.key}`,
    }),
  );
}

function weightFindings({ key, status, variants }: ExperimentDocument): Finding[] {
  if (status !== 'running') return [];
  return variants
    .filter(({ weight }) => weight === 0)
    .map((variant) =>
      variant.control
        ? warning({
            where: `experiments.${key}.variants.${variant.key}`,
            expected: 'visitors for the control',
            got: 'weight 0',
            fix: 'Give it a weight: without it nothing can be compared; or conclude the experiment',
          })
        : warning({
            where: `experiments.${key}.variants.${variant.key}`,
            expected: 'a weight above 0',
            got: 'weight 0, which takes no new visitors and keeps those that it has',
            fix: 'To take it away from everybody at once, set status: killed',
          }),
    );
}

function coverageFindings({ key, status, coverage }: ExperimentDocument): Finding[] {
  if (status !== 'running' || coverage > 0) return [];
  return [
    warning({
      where: `experiments.${key}.coverage`,
      expected: 'visitors who take part',
      got: 'coverage 0 while it runs: everybody gets control',
      fix: 'Raise the coverage (100 is 1 %), or set status: draft until it is to begin',
    }),
  ];
}

function countryFindings(
  experiments: readonly ExperimentDocument[],
  routes: readonly { readonly path: string; readonly when?: Predicate }[],
): Finding[] {
  const rules = [
    ...experiments.flatMap(({ key, audience, scope, forced = [] }) => [
      { where: `experiments.${key}.audience`, rule: audience },
      { where: `experiments.${key}.scope.when`, rule: scope.when },
      ...forced.map(({ when }, index) => ({
        where: `experiments.${key}.forced[${index}]`,
        rule: when,
      })),
    ]),
    ...routes.map(({ when }, index) => ({ where: `routes[${index}].when`, rule: when })),
  ];
  return rules
    .filter(({ rule }) => rule !== undefined && asksForCountry(rule))
    .map(({ where }) =>
      error({
        where,
        expected: 'countryHeader, since a rule asks for the country',
        got: 'none: no visitor has a country',
        fix: 'Name the header in which your CDN sends it, such as countryHeader: CF-IPCountry',
      }),
    );
}

function asksForCountry(rule: Predicate): boolean {
  if ('country' in rule) return true;
  if ('not' in rule) return asksForCountry(rule.not);
  if ('all' in rule) return rule.all.some(asksForCountry);
  return 'any' in rule && rule.any.some(asksForCountry);
}
