import { configSchema, type Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { isMapping } from './is-mapping.ts';
import { layerOverlaps } from './layers.ts';
import { readLoosely, type LooseDocument } from './loose-document.ts';
import type { Problem } from './problem.ts';
import { brokenReferences, sharedPort } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { parseYaml } from './yaml-source.ts';

interface Override {
  readonly name: string;
  readonly path: readonly string[];
  readonly parse: (text: string) => unknown;
}

/** Numbers stay text when they are none, so that the schema names what it got. */
const number = (text: string) => (/^-?\d+$/.test(text) ? Number(text) : text);
const list = (text: string) => text.split(',').map((part) => part.trim());
const asIs = (value: string) => value;

const OVERRIDES: readonly Override[] = [
  { name: 'TURNOUT_PORT', path: ['public', 'port'], parse: number },
  { name: 'TURNOUT_PRIVATE_PORT', path: ['private', 'port'], parse: number },
  { name: 'TURNOUT_WORKERS', path: ['workers'], parse: number },
  { name: 'TURNOUT_NODE', path: ['node'], parse: asIs },
  { name: 'TURNOUT_DATA_DIR', path: ['dataDir'], parse: asIs },
  { name: 'TURNOUT_REDIS_URL', path: ['redis'], parse: asIs },
  { name: 'TURNOUT_COOKIE_SECRETS', path: ['cookieSecrets'], parse: list },
];

/**
 * Reads a configuration.
 *
 * @param source the YAML text
 * @param file the name that problems carry
 * @param env variables that override the file; empty ones count as not there.
 *   Each upstream's address can be given as `TURNOUT_<NAME>_URL`.
 * @param check rules that only the caller knows, such as how a path is written; it is also
 *   asked about a document that the schema refuses, so that one run names every problem
 * @throws {ConfigError} with all problems at once
 */
export function readConfig(
  source: string,
  file: string,
  env: Readonly<Record<string, string | undefined>> = {},
  check: (document: LooseDocument) => readonly Problem[] = () => [],
): Config {
  const yaml = parseYaml(source, file);
  const raw = yaml.value ?? {};
  if (!isMapping(raw)) {
    throw new ConfigError(file, [`${file}: expected a mapping such as "upstreams: …"`]);
  }
  const overridden = applyOverrides(raw, env);
  const result = configSchema.safeParse(raw);
  const document = readLoosely(raw);
  const problems = [
    ...schemaProblems(result.error, raw),
    ...[brokenReferences, sharedPort, layerOverlaps, check].flatMap((rule) => rule(document)),
  ];
  if (result.success && problems.length === 0) return result.data;
  throw new ConfigError(file, yaml.tell(problems, overridden));
}

/** Writes the overrides into `raw`; tells which variable each overridden path came from. */
function applyOverrides(
  raw: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const upstreams = isMapping(raw['upstreams']) ? raw['upstreams'] : {};
  const forUpstreams = Object.keys(upstreams).map((upstream) => ({
    name: `TURNOUT_${upstream.toUpperCase().replaceAll('-', '_')}_URL`,
    path: ['upstreams', upstream, 'url'],
    parse: asIs,
  }));
  const overridden = new Map<string, string>();
  for (const { name: variable, path, parse } of [...OVERRIDES, ...forUpstreams]) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    let parent = raw;
    for (const key of path.slice(0, -1)) {
      const next = parent[key];
      parent = isMapping(next) ? next : (parent[key] = {});
    }
    const leaf = path.at(-1);
    if (leaf === undefined) continue;
    parent[leaf] = parse(value);
    overridden.set(path.join('.'), variable);
    if (Array.isArray(parent[leaf])) {
      parent[leaf].forEach((_, index) => overridden.set([...path, index].join('.'), variable));
    }
  }
  return overridden;
}
