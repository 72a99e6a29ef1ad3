// What to run, from the command line, the environment and turnout.yaml.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readConfig, type Config } from '@turnout/contracts';
import type { CommandLine } from '../command-line.mjs';

export type Environment = Readonly<Record<string, string>>;

/** The servers behind the edge, by the name of their upstream. */
export const upstreamNames = ['api', 'next', 'vue', 'wordpress'] as const;
export type UpstreamName = (typeof upstreamNames)[number];

export interface Settings {
  readonly root: string;
  readonly dataFolder: string;
  readonly mode: 'production' | 'development';
  /** Whether real Redis, MariaDB and PHP take the place of the embedded ones. */
  readonly services: boolean;
  readonly mayInstall: boolean;
  readonly config: Config;
  /** Our environment with the command line's settings put in, and no empty variables. */
  readonly env: Environment;
}

/** The configuration of the stack, relative to the repository. */
export const configFile = 'turnout.yaml';

/**
 * @throws {Error} (`ConfigError`) naming every problem of turnout.yaml and of the
 *   variables that override it
 */
export function readSettings(
  root: string,
  commandLine: CommandLine,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const env = Object.fromEntries(
    Object.entries({
      ...environment,
      ...(commandLine.port && { TURNOUT_PORT: String(commandLine.port) }),
      ...(commandLine.privatePort && { TURNOUT_PRIVATE_PORT: String(commandLine.privatePort) }),
      ...(commandLine.workers && { TURNOUT_WORKERS: String(commandLine.workers) }),
    }).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  const config = readConfig(readFileSync(path.join(root, configFile), 'utf8'), configFile, env);
  return {
    root,
    dataFolder: path.resolve(root, config.dataDir),
    mode: commandLine.command === 'dev' ? 'development' : 'production',
    services: commandLine.services,
    mayInstall: commandLine.yes,
    config,
    env,
  };
}

/** The variable by which the edge and the frontends learn where an upstream is. */
export function urlVariable(upstream: UpstreamName): string {
  return `TURNOUT_${upstream.toUpperCase()}_URL`;
}
