// Makes sure that programs of the operating system are there: offers to install them
// where that can be done, else says what is missing and how to get it.

import { closeSync } from 'node:fs';
import path from 'node:path';
import type { Progress } from '../progress.mjs';
import { lastLines, openLog } from './log-files.ts';
import type { Environment } from './settings.ts';
import {
  confirmed,
  findProgram,
  install,
  installCommand,
  mariadbServer,
  mayInstallHere,
  missingPrograms,
  php,
  redisServer,
  type Missing,
  type Programs,
  type SystemProgram,
} from './system-programs.ts';

interface Options {
  readonly env: Environment;
  readonly logs: string;
  /** Install without a question. */
  readonly mayInstall: boolean;
  readonly progress: Progress;
}

/**
 * @returns what is still missing: it could not be installed here, or was not wanted
 * @throws {Error} if an installation failed
 */
export async function provide(
  wanted: readonly SystemProgram[],
  { env, logs, mayInstall, progress }: Options,
): Promise<Missing[]> {
  const missing = await missingPrograms(wanted, env);
  if (missing.length === 0 || !mayInstallHere()) return missing;
  const names = missing.map(({ program }) => program.name).join(', ');
  if (!mayInstall && !(await confirmed(`${names} missing. Install by apt-get?`))) return missing;

  const began = performance.now();
  progress.begin('install', `installing ${names} by apt-get`);
  const file = path.join(logs, 'apt-get.log');
  const log = openLog(file);
  try {
    await install(missing, env, log.descriptor);
  } catch (error) {
    progress.failed('install', `installing ${names}`);
    const lines = lastLines(file, log.offset, 15).map((line) => `  ${line}`);
    throw new Error([String(error), ...lines, `All of it: ${file}`].join('\n'), { cause: error });
  } finally {
    closeSync(log.descriptor);
  }
  progress.done('install', performance.now() - began, `${names} installed`);
  return missingPrograms(wanted, env);
}

/**
 * What `--services` runs.
 *
 * @throws {Error} naming all that is missing, and the command that installs it
 */
export async function serverPrograms(options: Options): Promise<Programs> {
  const wanted = [redisServer, mariadbServer, php];
  const missing = await provide(wanted, options);
  if (missing.length > 0)
    throw new Error(
      `--services needs programs that are missing:\n${missing
        .map(({ program, why }) => `  ${program.name}: ${why}`)
        .join('\n')}\nOn Debian or Ubuntu: sudo ${installCommand(missing)}`,
    );
  const found = ({ commands }: SystemProgram): string => findProgram(commands, options.env) ?? '';
  return {
    redis: found(redisServer),
    mysqld: found(mariadbServer),
    mysqlInstall: findProgram(['mariadb-install-db', 'mysql_install_db'], options.env),
    php: found(php),
  };
}
