import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { usageError } from './command-error.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The parts of `turnout.yaml` that say where things are. */
interface Places {
  readonly dataDir: string;
  readonly private: { readonly address: string; readonly port: number };
}

/** What was said on the command line; it goes before the environment, and that before files. */
export interface PlaceOptions {
  /** The configuration file. */
  readonly config: string;
  readonly api?: string;
  readonly token?: string;
  readonly edge?: string;
}

const DEFAULT_API = 'http://127.0.0.1:4000';

/**
 * Where this machine's Turnout is: its API, its edge's private port, and the token for the
 * API. Files are read only for what neither option nor environment tells.
 */
export class Installation {
  readonly #options: PlaceOptions;
  readonly #env: Env;
  #places: Promise<Places> | undefined;

  constructor(options: PlaceOptions, env: Env) {
    this.#options = options;
    this.#env = env;
  }

  /** `--api`, TURNOUT_API_URL, what a running API wrote into the data folder, or the usual address. */
  async apiUrl(): Promise<string> {
    const given = this.#options.api ?? this.#variable('TURNOUT_API_URL');
    if (given !== undefined) return baseUrl(given, '--api or TURNOUT_API_URL');
    const file = join(await this.#dataDir(), 'api.json');
    const url = await readText(file, 'url');
    return url === undefined ? DEFAULT_API : baseUrl(url, `"url" in ${file}`);
  }

  /** `--token`, TURNOUT_TOKEN, TURNOUT_ADMIN_TOKEN, or the one that was made in the data folder. */
  async token(): Promise<string | undefined> {
    return (
      this.#options.token ??
      this.#variable('TURNOUT_TOKEN') ??
      this.#variable('TURNOUT_ADMIN_TOKEN') ??
      (await readText(join(await this.#dataDir(), 'secrets.json'), 'adminToken'))
    );
  }

  /** `--edge`, TURNOUT_PRIVATE_URL, what a running edge wrote into the data folder, or the configuration's. */
  async edgeUrl(): Promise<string> {
    const given = this.#options.edge ?? this.#variable('TURNOUT_PRIVATE_URL');
    if (given !== undefined) return baseUrl(given, '--edge or TURNOUT_PRIVATE_URL');
    const override = this.#variable('TURNOUT_PRIVATE_PORT');
    const file = join(await this.#dataDir(), 'edge.json');
    const told = override === undefined ? await readText(file, 'url') : undefined;
    if (told !== undefined) return baseUrl(told, `"url" in ${file}`);
    const { address, port } = (await this.#readPlaces()).private;
    return baseUrl(
      `http://${reachable(address)}:${override ?? port}`,
      override === undefined ? `private in ${this.#options.config}` : 'TURNOUT_PRIVATE_PORT',
    );
  }

  /** As the edge finds it: relative to the configuration's folder. */
  async #dataDir(): Promise<string> {
    const dataDir = this.#variable('TURNOUT_DATA_DIR') ?? (await this.#readPlaces()).dataDir;
    return resolve(dirname(this.#options.config), dataDir);
  }

  #variable(name: string): string | undefined {
    return this.#env[name] || undefined;
  }

  #readPlaces(): Promise<Places> {
    return (this.#places ??= readPlaces(this.#options.config));
  }
}

/** Whatever else is wrong with the file is for `serve` and `apply` to tell. */
async function readPlaces(file: string): Promise<Places> {
  const source = readIfThere(file);
  // Parsing YAML costs more than the rest of a start, so it is loaded only here.
  const raw: unknown = source === undefined ? {} : await parsed(source, file);
  const dataDir = field(raw, 'dataDir');
  const closed = field(raw, 'private');
  const address = field(closed, 'address');
  const port = field(closed, 'port');
  return {
    dataDir: typeof dataDir === 'string' ? dataDir : '.turnout',
    private: {
      address: typeof address === 'string' ? address : '127.0.0.1',
      port: typeof port === 'number' ? port : 8090,
    },
  };
}

async function parsed(source: string, file: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`${file} is not YAML: ${reason}`);
  }
}

async function readText(file: string, name: string): Promise<string | undefined> {
  const source = readIfThere(file);
  if (source === undefined) return undefined;
  try {
    const value = field(JSON.parse(source), name);
    return typeof value === 'string' ? value : undefined;
  } catch {
    throw usageError(`${file} is not JSON. Restore it, or give the settings as options.`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Can't read ${file}: ${reason}.`);
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** An address to listen on is not always one to connect to. */
function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

function baseUrl(text: string, origin: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.port === '0') {
    throw usageError(`Expected an address such as ${DEFAULT_API} as ${origin}, got "${text}".`);
  }
  return text.replace(/\/+$/, '');
}
