import { fileURLToPath } from 'node:url';

/** Where the API listens and keeps its data. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** The variable that `port` came from, or would come from; for messages. */
  readonly portVariable: 'PORT' | 'TURNOUT_API_PORT';
  readonly dataFolder: string;
  /** With it the data lives in MySQL or MariaDB, without it in `dataFolder`. */
  readonly mysqlUrl: string | undefined;
  readonly logLevel: string;
}

/** The environment asks for something impossible; the message lists every problem. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Reads the settings from the environment; an empty variable counts as unset. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  const value = (name: string) => environment[name] || undefined;

  const portVariable = value('PORT') === undefined ? 'TURNOUT_API_PORT' : 'PORT';
  const portText = value(portVariable) ?? '4000';
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65_535)) {
    problems.push(`${portVariable} must be a port from 0 to 65535, got "${portText}".`);
  }

  const mysqlUrl = value('TURNOUT_MYSQL_URL');
  if (mysqlUrl !== undefined && !namesDatabase(mysqlUrl)) {
    // The value is not repeated: it may hold a password.
    problems.push('TURNOUT_MYSQL_URL must look like mysql://user:password@host:3306/database.');
  }

  const logLevel = value('LOG_LEVEL') ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    problems.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, got "${logLevel}".`);
  }

  if (problems.length > 0) throw new SettingsError(problems.join(' '));
  return {
    host: value('HOST') ?? '127.0.0.1',
    port,
    portVariable,
    dataFolder:
      value('TURNOUT_DATA_DIR') ?? fileURLToPath(new URL('../../../.turnout', import.meta.url)),
    mysqlUrl,
    logLevel,
  };
}

function namesDatabase(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'mysql:' && url.hostname !== '' && /^\/[^/]+$/.test(url.pathname);
}
