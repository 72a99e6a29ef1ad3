import path from 'node:path';

/** A MySQL or MariaDB database. */
interface MysqlDatabase {
  /** Host and port, `127.0.0.1:3306`. */
  readonly address: string;
  readonly user: string;
  readonly password: string;
  readonly name: string;
}

/** What runs PHP: the runtime inside this process, or an interpreter of the machine. */
export type PhpRuntime =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'interpreter';
      /** Path of the `php` binary. */
      readonly binary: string;
      /** Absent: SQLite. */
      readonly database?: MysqlDatabase;
    };

export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Absolute path of the folder that all of the project's processes keep data in. */
  readonly dataDir: string;
  /** Base URL of the product API. */
  readonly apiUrl: string;
  /** Base URL of the edge, which hears of conversions. */
  readonly edgeUrl: string;
  /** Absent: one is made once and kept in the data folder. */
  readonly adminPassword?: string;
  readonly php: PhpRuntime;
}

/** Settings that can't be used; the message lists every problem, one a line. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads the settings from the environment.
 *
 * @param repoRoot Folder that relative paths and the default data folder start from.
 * @throws {SettingsError} Naming all that is wrong at once.
 */
export function readSettings(env: NodeJS.ProcessEnv, repoRoot: string): Settings {
  const problems: string[] = [];

  const portText = env['PORT'] || '4003';
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port > 65_535) {
    problems.push(`Expected PORT to be a port number from 0 to 65535, got \`${portText}\`.`);
  }

  const serverUrl = (name: string, otherwise: string): string => {
    const url = env[name] || otherwise;
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
      problems.push(
        `Expected ${name} to be an http or https URL such as ${otherwise}, got \`${url}\`.`,
      );
    }
    return url;
  };
  const apiUrl = serverUrl('TURNOUT_API_URL', 'http://127.0.0.1:4000');
  const edgeUrl = serverUrl('TURNOUT_EDGE_URL', 'http://127.0.0.1:8080');

  const binary = env['TURNOUT_WORDPRESS_PHP'];
  const mysqlUrl = env['TURNOUT_WORDPRESS_MYSQL_URL'];
  let php: PhpRuntime = { kind: 'embedded' };
  if (mysqlUrl && !binary) {
    problems.push(
      'TURNOUT_WORDPRESS_MYSQL_URL needs TURNOUT_WORDPRESS_PHP, the path of a php binary: the embedded PHP uses SQLite.',
    );
  } else if (binary) {
    php = { kind: 'interpreter', binary };
    if (mysqlUrl) {
      const database = parseMysqlUrl(mysqlUrl);
      if (database) {
        php = { ...php, database };
      } else {
        // The URL has a password in it: say what is expected, not what was got.
        problems.push(
          'Expected TURNOUT_WORDPRESS_MYSQL_URL to look like mysql://user:password@127.0.0.1:3306/database (database: letters, digits, _ and -).',
        );
      }
    }
  }

  if (problems.length > 0) throw new SettingsError(problems);
  const adminPassword = env['TURNOUT_WORDPRESS_ADMIN_PASSWORD'];
  return {
    host: env['HOST'] || '127.0.0.1',
    port,
    dataDir: path.resolve(repoRoot, env['TURNOUT_DATA_DIR'] || '.turnout'),
    apiUrl,
    edgeUrl,
    ...(adminPassword ? { adminPassword } : {}),
    php,
  };
}

/** The database that a `mysql://` URL names, or undefined when it names none. */
function parseMysqlUrl(text: string): MysqlDatabase | undefined {
  const url = URL.parse(text);
  const name = url?.pathname.slice(1) ?? '';
  if (!url || !/^(mysql|mariadb):$/.test(url.protocol) || !url.hostname) return undefined;
  if (!/^[\w-]{1,64}$/.test(name)) return undefined;
  try {
    return {
      address: `${url.hostname}:${url.port || '3306'}`,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      name,
    };
  } catch {
    return undefined; // A stray % in the user or password.
  }
}
