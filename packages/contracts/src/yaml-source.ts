import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import { ConfigError } from './config-error.ts';
import { placeOf, type Path, type Problem } from './problem.ts';

/** A YAML text (JSON is one, too), and where in it each value stands. */
export interface YamlSource {
  /** What it holds; undefined when it is empty. */
  readonly value: unknown;
  /**
   * The problems as people read them, each once, in the order of the text.
   *
   * @param variables the environment variable that a value came from, by its dotted path
   */
  tell(problems: readonly Problem[], variables?: ReadonlyMap<string, string>): string[];
}

/** @throws {ConfigError} for a text that is no YAML, with the lines */
export function parseYaml(source: string, file: string): YamlSource {
  const lines = new LineCounter();
  const yaml = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  if (yaml.errors.length > 0) {
    throw new ConfigError(
      file,
      yaml.errors.map((error) => `${at(file, lines, error.pos[0])}: ${error.message}`),
    );
  }
  const value: unknown = yaml.toJS();
  return {
    value: value ?? undefined,
    tell(problems, variables = new Map()) {
      const told = problems
        .map(({ path, message }) => {
          const variable = variables.get(path.join('.'));
          if (variable !== undefined)
            return { text: `environment variable ${variable}: ${message}` };
          const offset = offsetOf(yaml, path);
          const place = offset === undefined ? file : at(file, lines, offset);
          return { offset, text: `${place}: ${placeOf(path)}${message}` };
        })
        .toSorted((a, b) => (a.offset ?? -1) - (b.offset ?? -1))
        .map(({ text }) => text);
      // The schema and a rule of the caller may have found the same.
      return [...new Set(told)];
    },
  };
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
