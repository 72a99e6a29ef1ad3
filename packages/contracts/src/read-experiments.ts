import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { experimentSchema, type ExperimentDocument } from './experiment.ts';
import { isMapping } from './is-mapping.ts';
import { layerOverlaps } from './layers.ts';
import { readLoosely, type LooseDocument } from './loose-document.ts';
import type { Path, Problem } from './problem.ts';
import { readConfig } from './read-config.ts';
import { repeatedExperiments } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { parseYaml } from './yaml-source.ts';

/** What a file says of experiments. */
export interface ExperimentFile {
  readonly experiments: readonly ExperimentDocument[];
  /** The revisions that it names, by key; one without a revision was made from none in particular. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Keys of a whole configuration that say nothing of experiments. */
  readonly otherKeys: readonly string[];
}

const listSchema = z.strictObject({ experiments: z.array(experimentSchema) });

/**
 * Reads the experiments of a file: a whole `turnout.yaml`, one experiment, a list of them, or
 * a mapping with the one key `experiments`; YAML or JSON.
 *
 * @param file the name that problems carry
 * @param check as for `readConfig`
 * @throws {ConfigError} with all problems at once; in a configuration, with all of its own
 */
export function readExperiments(
  source: string,
  file: string,
  check: (document: LooseDocument) => readonly Problem[] = () => [],
): ExperimentFile {
  const yaml = parseYaml(source, file);
  const { value } = yaml;
  if (isMapping(value) && ('upstreams' in value || 'default' in value)) {
    const { experiments = [] } = readConfig(source, file, {}, check);
    const otherKeys = Object.keys(value).filter((key) => key !== 'experiments');
    return { experiments, revisions: namedRevisions(value['experiments']), otherKeys };
  }
  const { raw, root } = asMapping(value);
  if (raw === undefined) {
    throw new ConfigError(file, [
      `${file}: expected an experiment, a list of experiments, or a whole turnout.yaml`,
    ]);
  }
  const result = listSchema.safeParse(raw);
  const document = readLoosely(raw);
  const problems = [
    ...schemaProblems(result.error, raw),
    ...[repeatedExperiments, layerOverlaps, check].flatMap((rule) => rule(document)),
  ];
  if (result.success && problems.length === 0) {
    return { ...result.data, revisions: namedRevisions(raw['experiments']), otherKeys: [] };
  }
  const placed = problems.map(({ path, message }) => ({ path: path.slice(root.length), message }));
  throw new ConfigError(file, yaml.tell(placed));
}

/** The mapping that `value` stands for, and where in it the text itself begins. */
function asMapping(value: unknown): {
  readonly raw: Readonly<Record<string, unknown>> | undefined;
  readonly root: Path;
} {
  if (Array.isArray(value)) return { raw: { experiments: value }, root: ['experiments'] };
  if (!isMapping(value)) return { raw: undefined, root: [] };
  if ('experiments' in value) return { raw: value, root: [] };
  return { raw: { experiments: [value] }, root: ['experiments', 0] };
}

function namedRevisions(list: unknown): Record<string, number> {
  if (!Array.isArray(list)) return {};
  return Object.fromEntries(
    list
      .filter((entry) => isMapping(entry))
      .flatMap(({ key, revision }) =>
        typeof key === 'string' && typeof revision === 'number' ? [[key, revision]] : [],
      ),
  );
}
