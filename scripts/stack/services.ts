// What runs: the API, the three frontends behind it, the edge before them all.

import path from 'node:path';
import type { Backing } from './backing.ts';
import { freePort } from './ports.ts';
import { httpProbe } from './readiness.ts';
import type { Secrets } from './secrets.ts';
import { nodeServer } from './server-command.ts';
import {
  configFile,
  upstreamNames,
  urlVariable,
  type Environment,
  type Settings,
  type UpstreamName,
} from './settings.ts';
import type { Service } from './supervised-service.ts';

/** Ports that the upstreams take if they are free. */
const preferredPorts: Readonly<Record<UpstreamName, number>> = {
  api: 4000,
  next: 4001,
  vue: 4002,
  wordpress: 4003,
};

/** Their contract is to end within 5 s of SIGTERM; then a little grace. */
const upstreamStopMs = 8000;

/** In development nothing is worth waiting for, and open HMR sockets never drain. */
const developmentStopMs = 1500;

/** The API first, since the frontends ask it; then the frontends; the edge when all answer. */
export type Tiers = readonly (readonly Service[])[];

/** Where each upstream is, and which of them is ours to start. */
export interface Upstreams {
  readonly urls: Readonly<Record<UpstreamName, string>>;
  /** The ports of those to start; one whose URL the environment gives runs elsewhere. */
  readonly ports: ReadonlyMap<UpstreamName, number>;
}

/** @param spoken ports given away already; those chosen are added */
export async function placeUpstreams({ env }: Settings, spoken: Set<number>): Promise<Upstreams> {
  const ports = new Map<UpstreamName, number>();
  const urls: Record<UpstreamName, string> = { api: '', next: '', vue: '', wordpress: '' };
  for (const name of upstreamNames) {
    const given = env[urlVariable(name)];
    if (given !== undefined) {
      urls[name] = given;
      continue;
    }
    const wished = name === 'api' ? Number(env.TURNOUT_API_PORT) : Number.NaN;
    const port = await freePort(wished > 0 ? wished : preferredPorts[name], spoken);
    ports.set(name, port);
    urls[name] = `http://127.0.0.1:${port}`;
  }
  return { urls, ports };
}

export function planTiers(
  settings: Settings,
  secrets: Secrets,
  upstreams: Upstreams,
  backing: Backing,
): Tiers {
  const { ports } = upstreams;
  const plan = (name: UpstreamName, of: (port: number) => Service): Service[] => {
    const port = ports.get(name);
    return port === undefined ? [] : [of(port)];
  };
  const base = baseEnvironment(settings, upstreams);
  return [
    plan('api', (port) => api(settings, base, port, secrets, backing)),
    [
      ...plan('next', (port) => next(settings, base, port)),
      ...plan('vue', (port) => vue(settings, base, port)),
      ...plan('wordpress', (port) => wordpress(settings, base, port, backing)),
    ],
    [edge(settings, base, upstreams, secrets, backing)],
  ].filter((tier) => tier.length > 0);
}

function api(
  settings: Settings,
  base: Environment,
  port: number,
  secrets: Secrets,
  backing: Backing,
): Service {
  const { config, env: given } = settings;
  const env = {
    ...base,
    ...listenOn(port),
    TURNOUT_CONFIG: path.join(settings.root, configFile),
    TURNOUT_COOKIE_SECRETS: (config.cookieSecrets ?? secrets.cookieSecrets).join(','),
    TURNOUT_ADMIN_TOKEN: given.TURNOUT_ADMIN_TOKEN ?? secrets.adminToken,
    ...(given.TURNOUT_API_TOKENS && { TURNOUT_API_TOKENS: given.TURNOUT_API_TOKENS }),
    // Where links made for people lead.
    TURNOUT_PORT: String(config.public.port),
    // Where ramps read what was served.
    TURNOUT_EDGES: given.TURNOUT_EDGES ?? `http://127.0.0.1:${config.private.port}`,
    ...(backing.redisUrl && { TURNOUT_REDIS_URL: backing.redisUrl }),
    ...(backing.mysqlUrl && { TURNOUT_MYSQL_URL: backing.mysqlUrl }),
  };
  return upstream(
    settings,
    'api',
    port,
    '/healthz',
    nodeServer(['apps/api/src/main.ts'], { cwd: settings.root, env }),
  );
}

function next(settings: Settings, base: Environment, port: number): Service {
  const subcommand = settings.mode === 'development' ? 'dev' : 'start';
  // Not by npx or a package script: those leave the server behind when they are killed.
  const args = [
    'node_modules/next/dist/bin/next',
    subcommand,
    '-p',
    String(port),
    '-H',
    '127.0.0.1',
  ];
  const cwd = path.join(settings.root, 'apps', 'next');
  const env = { ...base, ...listenOn(port), NEXT_TELEMETRY_DISABLED: '1' };
  return upstream(settings, 'next', port, '/_mfe/next/health.txt', nodeServer(args, { cwd, env }));
}

function vue(settings: Settings, base: Environment, port: number): Service {
  const env = { ...base, ...listenOn(port) };
  const command = nodeServer(['apps/vue/src/server.ts'], { cwd: settings.root, env });
  return upstream(settings, 'vue', port, '/_mfe/vue/healthz', command);
}

function wordpress(settings: Settings, base: Environment, port: number, backing: Backing): Service {
  const env = { ...base, ...listenOn(port), ...backing.wordpress };
  const command = nodeServer(['wordpress/server/main.ts'], { cwd: settings.root, env });
  return upstream(settings, 'wordpress', port, '/_turnout/healthz', command);
}

function edge(
  settings: Settings,
  base: Environment,
  { urls }: Upstreams,
  secrets: Secrets,
  backing: Backing,
): Service {
  const { config, mode, root } = settings;
  const env = {
    ...base,
    TURNOUT_PORT: String(config.public.port),
    TURNOUT_PRIVATE_PORT: String(config.private.port),
    TURNOUT_COOKIE_SECRETS: (config.cookieSecrets ?? secrets.cookieSecrets).join(','),
    ...Object.fromEntries(upstreamNames.map((name) => [urlVariable(name), urls[name]])),
    ...(backing.redisUrl && { TURNOUT_REDIS_URL: backing.redisUrl }),
    // One worker restarts faster, and its log is easier to follow.
    ...(mode === 'development' && config.workers === undefined && { TURNOUT_WORKERS: '1' }),
  };
  const args = ['packages/cli/src/main.ts', 'serve', '--config', configFile];
  return {
    name: 'edge',
    where: `:${config.public.port}, private :${config.private.port}`,
    command: nodeServer(args, { cwd: root, env }),
    isReady: httpProbe(`http://127.0.0.1:${config.private.port}/readyz`),
    readyWithinMs: 30_000,
    stopWithinMs: mode === 'development' ? developmentStopMs : config.drain + 5000,
  };
}

function upstream(
  { mode }: Settings,
  name: UpstreamName,
  port: number,
  health: string,
  command: Service['command'],
): Service {
  return {
    name,
    where: `:${port}`,
    command,
    isReady: httpProbe(`http://127.0.0.1:${port}${health}`),
    // WordPress sets itself up at its first start.
    readyWithinMs: 120_000,
    stopWithinMs: mode === 'development' ? developmentStopMs : upstreamStopMs,
  };
}

/** What every server gets: our own environment without the secrets that are not for all. */
function baseEnvironment(
  { config, env, dataFolder, mode }: Settings,
  { urls }: Upstreams,
): Environment {
  const {
    TURNOUT_COOKIE_SECRETS: _cookies,
    TURNOUT_ADMIN_TOKEN: _token,
    TURNOUT_API_TOKENS: _tokens,
    ...rest
  } = env;
  return {
    // Where the frontends' servers report conversions.
    TURNOUT_EDGE_URL: `http://127.0.0.1:${config.public.port}`,
    ...rest,
    NODE_ENV: mode,
    TURNOUT_DATA_DIR: dataFolder,
    TURNOUT_API_URL: urls.api,
  };
}

function listenOn(port: number): Environment {
  return { PORT: String(port), HOST: '127.0.0.1' };
}
