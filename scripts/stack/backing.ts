// Real stores and PHP for `--services`, each with a folder of its own in the data folder.

import path from 'node:path';
import { mariadb } from './mariadb.ts';
import { freePort } from './ports.ts';
import { redis } from './redis.ts';
import type { Secrets } from './secrets.ts';
import type { Environment, Settings } from './settings.ts';
import type { Service } from './supervised-service.ts';
import type { Programs } from './system-programs.ts';

/** What the stack's servers stand on. All empty: the embedded default. */
export interface Backing {
  /** To be started before all others. */
  readonly services: readonly Service[];
  readonly redisUrl?: string;
  readonly mysqlUrl?: string;
  /** Environment of the WordPress server. */
  readonly wordpress: Environment;
}

/** Embedded, or whatever servers the environment names. */
export function givenBacking({ config, env }: Settings): Backing {
  return {
    services: [],
    wordpress: {},
    ...(config.redis !== undefined && { redisUrl: config.redis }),
    ...(env.TURNOUT_MYSQL_URL !== undefined && { mysqlUrl: env.TURNOUT_MYSQL_URL }),
  };
}

/**
 * Redis, MariaDB and PHP of this machine; those that the environment names elsewhere
 * are not started.
 *
 * @param spoken ports given away already; those chosen are added
 */
export async function localBacking(
  settings: Settings,
  secrets: Secrets,
  programs: Programs,
  spoken: Set<number>,
): Promise<Backing> {
  const given = givenBacking(settings);
  const services: Service[] = [];
  let { redisUrl, mysqlUrl } = given;
  let wordpressMysqlUrl = settings.env.TURNOUT_WORDPRESS_MYSQL_URL;

  if (redisUrl === undefined) {
    const port = await freePort(6379, spoken);
    services.push(
      redis(programs.redis, path.join(settings.dataFolder, 'redis'), port, settings.env),
    );
    redisUrl = `redis://127.0.0.1:${port}`;
  }
  if (mysqlUrl === undefined || wordpressMysqlUrl === undefined) {
    const port = await freePort(3306, spoken);
    const folder = path.join(settings.dataFolder, 'mysql');
    const password = secrets.databasePassword;
    services.push(await mariadb(programs, folder, port, password, settings.env));
    const url = `mysql://turnout:${password}@127.0.0.1:${port}`;
    mysqlUrl ??= `${url}/turnout`;
    wordpressMysqlUrl ??= `${url}/wordpress`;
  }
  return {
    services,
    redisUrl,
    mysqlUrl,
    wordpress: {
      TURNOUT_WORDPRESS_PHP: programs.php,
      TURNOUT_WORDPRESS_MYSQL_URL: wordpressMysqlUrl,
    },
  };
}
