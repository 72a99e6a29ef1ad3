import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, readConfig } from '@turnout/contracts';
import type { Config, ExperimentDocument } from '@turnout/contracts';
import { parseDuration } from '@turnout/contracts/parse-duration';
import { z } from 'zod';
import { readTokens, tokenProblem } from './auth/tokens.ts';
import type { Token } from './auth/tokens.ts';

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
  /** Ledger and snapshot are in Redis with it, in `dataFolder` without. */
  readonly redisUrl: string | undefined;
  /** The first signs; undefined: those that the data folder keeps. */
  readonly cookieSecrets: readonly string[] | undefined;
  /** Who may manage experiments; empty: nobody. */
  readonly tokens: readonly Token[];
  /** turnout.yaml; undefined where there is none. */
  readonly configFile: string | undefined;
  /** Names that variants may refer to; undefined: any. */
  readonly upstreams: readonly string[] | undefined;
  /** What visitors type; undefined where nobody knows. */
  readonly publicUrl: string | undefined;
  readonly seeds: readonly ExperimentDocument[];
  /** URLs of the edges' private ports, where ramps read what was served. */
  readonly edges: readonly string[];
  /** Milliseconds from one look at the ramps to the next. */
  readonly rampEvery: number;
}

/** The environment asks for something impossible; the message lists every problem. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** A breach is not to last for long before it is seen, in milliseconds. */
const LONGEST_RAMP_EVERY = 3_600_000;

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Reads the settings from the environment, where an empty variable counts as unset, and from
 * the configuration that TURNOUT_CONFIG names; else from the repository's turnout.yaml. A file
 * that is not there says nothing.
 *
 * @param readText a file's text, or undefined if there is none
 * @throws SettingsError that tells every problem
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  readText: (file: string) => string | undefined,
): Settings {
  const problems: string[] = [];
  const value = (name: string) => environment[name] || undefined;

  const configFile = resolve(value('TURNOUT_CONFIG') ?? join(REPOSITORY, 'turnout.yaml'));
  const configText = readText(configFile);
  const config = configText && configOf(configText, configFile, environment, problems);
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

  const dataFolder = config
    ? resolve(dirname(configFile), config.dataDir)
    : (value('TURNOUT_DATA_DIR') ?? join(REPOSITORY, '.turnout'));
  const edges = edgesOf(value('TURNOUT_EDGES'), config ? config.private.port : 0, problems);
  const rampEveryText = value('TURNOUT_RAMP_EVERY') ?? '5s';
  const rampEvery = parseDuration(rampEveryText) ?? 0;
  if (!(rampEvery > 0 && rampEvery <= LONGEST_RAMP_EVERY)) {
    problems.push(
      `TURNOUT_RAMP_EVERY must be a length of time up to 1h, such as 5s, got "${rampEveryText}".`,
    );
  }
  const tokens = tokensOf(value, readText(join(dataFolder, 'secrets.json')), problems);

  if (problems.length > 0) throw new SettingsError(problems.join(' '));
  return {
    host: value('HOST') ?? '127.0.0.1',
    port,
    portVariable,
    dataFolder,
    mysqlUrl,
    logLevel,
    redisUrl: config ? config.redis : value('TURNOUT_REDIS_URL'),
    cookieSecrets: config ? config.cookieSecrets : value('TURNOUT_COOKIE_SECRETS')?.split(','),
    tokens,
    configFile: config ? configFile : undefined,
    upstreams: config ? Object.keys(config.upstreams) : undefined,
    publicUrl: config ? publicUrlOf(config) : undefined,
    seeds: config ? (config.experiments ?? []) : [],
    edges,
    rampEvery,
  };
}

function configOf(
  text: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Config | undefined {
  try {
    return readConfig(text, file, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** Where the edge is for visitors, as far as its configuration says it. */
function publicUrlOf({ public: { url, hosts, port } }: Config): string | undefined {
  if (url !== undefined) return url;
  const host = hosts.find((name) => !name.includes('*'));
  if (host === undefined || port === 0) return undefined;
  return new URL(`http://${host}:${port}`).origin;
}

/** The edges of TURNOUT_EDGES, else the one of this machine. */
function edgesOf(text: string | undefined, privatePort: number, problems: string[]): string[] {
  if (text === undefined) return [`http://127.0.0.1:${privatePort === 0 ? 8090 : privatePort}`];
  const edges = text.split(',').map((url) => url.trim());
  for (const edge of edges) {
    if (/^https?:$/.test(URL.parse(edge)?.protocol ?? '')) continue;
    problems.push(
      `TURNOUT_EDGES must be URLs of private ports, as in http://10.0.0.1:8090,http://10.0.0.2:8090, got "${edge}".`,
    );
  }
  return edges;
}

/** TURNOUT_ADMIN_TOKEN or the token that the data folder keeps, and those of TURNOUT_API_TOKENS. */
function tokensOf(
  value: (name: string) => string | undefined,
  secrets: string | undefined,
  problems: string[],
): Token[] {
  const given = value('TURNOUT_ADMIN_TOKEN');
  const problem = given === undefined ? undefined : tokenProblem(given, 'TURNOUT_ADMIN_TOKEN');
  if (problem !== undefined) problems.push(problem);
  const adminToken = given ?? keptAdminToken(secrets);
  const list = value('TURNOUT_API_TOKENS');
  const others = list === undefined ? undefined : readTokens(list, 'TURNOUT_API_TOKENS');
  problems.push(...(others?.problems ?? []));
  if (others?.tokens.some(({ token }) => token === adminToken)) {
    problems.push(
      'TURNOUT_API_TOKENS: the admin token is in the list, give each one of their own.',
    );
  }
  return [
    ...(adminToken === undefined
      ? []
      : [{ name: 'admin', role: 'admin', token: adminToken } satisfies Token]),
    ...(others?.tokens ?? []),
  ];
}

const secretsSchema = z.object({ adminToken: z.string().min(16) });

/** The token that `npm start` has made; a damaged file is for those to tell who need more of it. */
function keptAdminToken(secrets: string | undefined): string | undefined {
  if (secrets === undefined) return undefined;
  try {
    return secretsSchema.safeParse(JSON.parse(secrets)).data?.adminToken;
  } catch {
    return undefined;
  }
}

function namesDatabase(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'mysql:' && url.hostname !== '' && /^\/[^/]+$/.test(url.pathname);
}
