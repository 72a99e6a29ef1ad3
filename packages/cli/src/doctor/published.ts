import type { Config, ExperimentDocument } from '@turnout/contracts';
import { error, ok, type Finding } from './finding.ts';

/** What an API answered when it was asked for its experiments. */
export interface Published {
  /** Where the API is. */
  readonly url: string;
  readonly experiments: readonly ExperimentDocument[];
}

/**
 * A configuration with the experiments that edges decide by: those that are published, and of the
 * file those that nobody has published yet, in the order of the edge.
 */
export function withPublished(
  config: Config,
  published: Published | undefined,
): { readonly config: Config; readonly findings: readonly Finding[] } {
  if (published === undefined || config.experiments === undefined) return { config, findings: [] };
  const { url, experiments } = published;
  const keys = new Set(experiments.map(({ key }) => key));
  const ofFile = config.experiments.filter(({ key }) => !keys.has(key));
  const all = [...experiments, ...ofFile].toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const alone =
    ofFile.length === 0 ? '' : `; only in the file: ${ofFile.map(({ key }) => key).join(', ')}`;
  return {
    config: { ...config, experiments: all },
    findings: [
      ok('experiments', `as the API at ${url} has them (${experiments.length})${alone}`),
      ...experiments.flatMap((experiment) => unknownUpstreams(experiment, config)),
    ],
  };
}

/** Edges refuse all that is published when one experiment of it names an upstream that they lack. */
function unknownUpstreams({ key, variants }: ExperimentDocument, { upstreams }: Config): Finding[] {
  return variants
    .filter(({ upstream }) => !Object.hasOwn(upstreams, upstream))
    .map((variant) =>
      error({
        where: `experiments.${key}.variants.${variant.key}`,
        expected: `an upstream of the configuration: ${Object.keys(upstreams).join(', ')}`,
        got: `${variant.upstream}, so that edges refuse what is published`,
        fix: `Add the upstream ${variant.upstream}, or change the experiment`,
      }),
    );
}
