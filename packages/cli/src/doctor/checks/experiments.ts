import { isDeepStrictEqual } from 'node:util';
import type { ExperimentDocument, Predicate } from '@turnout/contracts';
import { SLOTS, compileExperiment } from '@turnout/router-core';
import { plainRequest } from '../destinations.ts';
import { error, ok, warning, type Finding } from '../finding.ts';
import type { Survey } from '../survey.ts';

/** Whether experiments do what those who wrote them down most likely meant. */
export function checkExperiments({
  config: { experiments = [], countryHeader, routes },
}: Pick<Survey, 'config'>): Finding[] {
  const findings = [
    ...experiments.flatMap((experiment, index) => [
      ...shadowFindings(experiment, experiments.slice(0, index)),
      ...weightFindings(experiment),
      ...coverageFindings(experiment),
    ]),
    ...(countryHeader === undefined ? countryFindings(experiments, routes) : []),
  ];
  if (findings.length > 0 || experiments.length === 0) return findings;
  return [ok('experiments', experiments.map(({ key, status }) => `${key}: ${status}`).join(', '))];
}

/** An experiment that gets no visitor, since an earlier one takes all of them. */
function shadowFindings(
  experiment: ExperimentDocument,
  earlier: readonly ExperimentDocument[],
): Finding[] {
  const shadow = earlier.find((other) => takesAllOf(other, experiment));
  if (shadow === undefined) return [];
  return [
    error({
      where: `experiments.${experiment.key}`,
      expected: 'pages that no earlier experiment takes for all its visitors',
      got: `every page of it is in the scope of ${shadow.key} (${shadow.status}), which comes first`,
      fix: `Put it before ${shadow.key}, give both a layer with slots of their own, or narrow the scope of ${shadow.key}`,
    }),
  ];
}

function takesAllOf(earlier: ExperimentDocument, later: ExperimentDocument): boolean {
  const isForAll =
    earlier.status !== 'draft' &&
    isNoNarrower(earlier.audience, later.audience) &&
    isNoNarrower(earlier.scope.when, later.scope.when) &&
    (earlier.layer === undefined || isWhole(earlier.layer.slots));
  if (!isForAll) return false;
  // Predicates are compared as they are written; where paths overlap is for the compiled ones.
  const { paths, hosts: onHosts } = earlier.scope;
  const experiment = compileExperiment({ ...earlier, scope: { paths, hosts: onHosts } });
  // A later one for any host is in the earlier one's scope only if that is for any host, too.
  const hosts = later.scope.hosts.length === 0 ? ['any.invalid'] : later.scope.hosts;
  return later.scope.paths
    .flatMap(samplePaths)
    .every((path) =>
      hosts.every((host) => experiment.inScope(plainRequest(path, host.replace(/^\*\./, 'any.')))),
    );
}

function isNoNarrower(earlier: Predicate | undefined, later: Predicate | undefined): boolean {
  return earlier === undefined || isDeepStrictEqual(earlier, later);
}

function isWhole([from, to]: readonly [number, number]): boolean {
  return from === 0 && to === SLOTS;
}

/** Paths that a glob matches, of each length: what takes them all takes the glob. */
function samplePaths(glob: string): string[] {
  return ['', '/turnout-a', '/turnout-a/turnout-b/turnout-c'].map(
    (rest) => glob.replaceAll('/**', rest).replaceAll('*', 'turnout-d') || '/',
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
