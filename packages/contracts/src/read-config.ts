import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { configSchema, type Config } from './config.ts';
import { layerOverlaps } from './layers.ts';
import { readLoosely, type LooseDocument } from './loose-document.ts';
import type { Path, Problem } from './problem.ts';
import { brokenReferences, sharedPort } from './references.ts';
import { issuesOfBranch } from './union-issues.ts';

/** A configuration that can't be used; the message lists every problem with its place. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      `${file} can't be used, ${count}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

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
  const lines = new LineCounter();
  const yaml = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  if (yaml.errors.length > 0) {
    throw new ConfigError(
      file,
      yaml.errors.map((error) => `${at(file, lines, error.pos[0])}: ${error.message}`),
    );
  }
  const raw: unknown = yaml.toJS() ?? {};
  if (!isMapping(raw)) {
    throw new ConfigError(file, [`${file}: expected a mapping such as "upstreams: …"`]);
  }
  const overridden = applyOverrides(raw, env);
  const result = configSchema.safeParse(raw);
  const document = readLoosely(raw);
  const problems = [
    ...(result.error?.issues.flatMap((issue) => describe(issue, raw)) ?? []),
    ...[brokenReferences, sharedPort, layerOverlaps, check].flatMap((rule) => rule(document)),
  ];
  if (result.success && problems.length === 0) return result.data;
  const told = problems
    .map(({ path, message }) => {
      const variable = overridden.get(path.join('.'));
      if (variable !== undefined) return { text: `environment variable ${variable}: ${message}` };
      const offset = offsetOf(yaml, path);
      const place = offset === undefined ? file : at(file, lines, offset);
      return { offset, text: `${place}: ${name(path)}${message}` };
    })
    .toSorted((a, b) => (a.offset ?? -1) - (b.offset ?? -1))
    .map(({ text }) => text);
  // The schema and a rule of the caller may have found the same.
  throw new ConfigError(file, [...new Set(told)]);
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

function describe(issue: z.core.$ZodIssue, raw: unknown): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'unknown key' }));
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    const value = valueAt(raw, issue.path);
    const message =
      value === undefined
        ? `missing (expected ${issue.expected})`
        : `expected ${issue.expected}, got ${JSON.stringify(value)}`;
    return [{ path: issue.path, message }];
  }
  // A union that the value was meant for one branch of: what is wrong inside that one.
  if (issue.code === 'invalid_union') {
    const inner = issuesOfBranch(issue);
    if (inner !== undefined) {
      return inner.flatMap((one) => describe({ ...one, path: [...issue.path, ...one.path] }, raw));
    }
  }
  // A record whose key is refused: the reason is inside.
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path: issue.path, message: inner.message }));
  }
  return [{ path: issue.path, message: `${issue.message}${got(issue.message, raw, issue.path)}` }];
}

/** What stands there, where the message has not said it; never a secret. */
function got(message: string, raw: unknown, path: Path): string {
  if (!message.startsWith('expected') || message.includes(', got ')) return '';
  if (path[0] === 'cookieSecrets') return '';
  const value = valueAt(raw, path);
  // It may hold a password, wherever that stands in a URL that is none.
  if (path[0] === 'redis' && String(value).includes('@')) return '';
  return value === undefined || typeof value === 'object' ? '' : `, got ${JSON.stringify(value)}`;
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** `experiments[0].variants: `, or nothing for the whole document. */
function name(path: Path): string {
  if (path.length === 0) return '';
  const dotted = path.reduce<string>(
    (so, key) => (typeof key === 'number' ? `${so}[${key}]` : `${so}${so && '.'}${String(key)}`),
    '',
  );
  return `${dotted}: `;
}

/** Where the nearest node of `path` that the file holds begins. */
function offsetOf(yaml: Document, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = yaml.getIn(path.slice(0, length), true);
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (offset !== undefined) return offset;
  }
  return undefined;
}

/** File, line and column, as editors take them. */
function at(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
