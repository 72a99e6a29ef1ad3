import { ConfigError, readConfig, type Config } from '@turnout/contracts';
import { configProblems } from '@turnout/edge/config-problems';
import { error, ok, type Finding } from '../finding.ts';

export interface ConfigurationCheck {
  readonly findings: readonly Finding[];
  /** Undefined when the edge would not start with it. */
  readonly config: Config | undefined;
}

/** Reads the configuration as the edge does, and names every problem with its line. */
export function checkConfiguration(
  source: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): ConfigurationCheck {
  try {
    const config = readConfig(source, file, env, configProblems);
    const { upstreams, routes, experiments = [] } = config;
    const held = [
      counted(Object.keys(upstreams).length, 'upstream'),
      counted(routes.length, 'route'),
      counted(experiments.length, 'experiment'),
    ];
    return { config, findings: [ok(file, held.join(', '))] };
  } catch (problem) {
    if (!(problem instanceof ConfigError)) throw problem;
    return { config: undefined, findings: problem.problems.map((text) => asFinding(text, file)) };
  }
}

/** A problem begins with its place: `turnout.yaml:3:5: …`. */
function asFinding(problem: string, file: string): Finding {
  const [, place = file, message = problem] =
    /^(.+?:\d+:\d+|environment variable \w+|.+?): (.*)$/s.exec(problem) ?? [];
  return error({
    where: place,
    expected: 'a value that the edge can start with',
    got: message,
    fix: 'Correct it there; docs/configuration.md lists every key',
  });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
