import path from 'node:path';
import { adminPassword } from './admin-password.ts';
import { EmbeddedPhp } from './embedded-php.ts';
import type { PhpBackend } from './php-backend.ts';
import { PhpInterpreter, runScript } from './php-interpreter.ts';
import type { PhpRuntime, Settings } from './settings.ts';
import { createSiteServer } from './site-server.ts';
import { prepareSiteFolder, sources } from './site-folder.ts';

/** Milliseconds that requests under way get to finish when the site is closed. */
const closeGrace = 3000;

/** A site that listens, and is perhaps still being set up. */
export interface RunningSite {
  readonly port: number;
  /** Resolves once pages are served; rejects when the set-up failed. */
  readonly ready: Promise<void>;
  /** Settles, with the reason, when the site can't go on. */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly log: (line: string) => void;
  /** Requests after which the embedded PHP starts afresh. */
  readonly requestsPerRuntime?: number;
}

/**
 * Listens, sets the site up without a wizard, and serves it.
 *
 * @throws When the port is taken; what fails later comes by `ready`.
 */
export async function startWordPress(
  settings: Settings,
  options: StartOptions,
): Promise<RunningSite> {
  const { log } = options;
  const logPhp = (line: string) => log(`php: ${line}`);
  const root = path.join(settings.dataDir, 'wordpress', folderName(settings.php));
  let php: PhpBackend | undefined;
  const server = createSiteServer({
    roots: { site: path.join(root, 'site'), theme: sources.theme, plugin: sources.plugin },
    php: () => php,
    logError: log,
  });
  await new Promise<void>((resolve, reject) => {
    server
      .once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE'
            ? new Error(
                `Port ${settings.port} of ${settings.host} is taken. Set PORT to a free one.`,
                { cause: error },
              )
            : error,
        );
      })
      .listen(settings.port, settings.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : settings.port;

  const lost = Promise.withResolvers<Error>();
  const setUp = async (): Promise<PhpBackend> => {
    const interpreter = settings.php.kind === 'interpreter' ? settings.php : undefined;
    const site = prepareSiteFolder(root, {
      sqlite: !interpreter?.database,
      link: interpreter !== undefined,
    });
    const admin = adminPassword(settings.dataDir, settings.adminPassword);
    const env = {
      TURNOUT_API_URL: settings.apiUrl,
      TURNOUT_EDGE_URL: settings.edgeUrl,
      ...(interpreter?.database
        ? {
            TURNOUT_WORDPRESS_DB_HOST: interpreter.database.address,
            TURNOUT_WORDPRESS_DB_USER: interpreter.database.user,
            TURNOUT_WORDPRESS_DB_PASSWORD: interpreter.database.password,
            TURNOUT_WORDPRESS_DB_NAME: interpreter.database.name,
          }
        : {}),
    };
    // A site made earlier keeps its password, unless ours is new.
    const installEnv = {
      TURNOUT_WORDPRESS_INSTALL_PASSWORD: admin.password,
      TURNOUT_WORDPRESS_NEW_PASSWORD: admin.changed ? admin.password : '',
    };
    let backend: PhpBackend;
    let outcome: string;
    if (interpreter) {
      const phpOptions = { binary: interpreter.binary, site, env, log: logPhp };
      outcome = await runScript(phpOptions, '/install.php', installEnv);
      backend = await PhpInterpreter.start(phpOptions);
    } else {
      const embedded = await EmbeddedPhp.start({
        site,
        servers: [settings.apiUrl, settings.edgeUrl],
        env,
        log: logPhp,
        requestsPerRuntime: options.requestsPerRuntime ?? 2000,
      });
      outcome = await embedded.runScript('/install.php', installEnv);
      backend = embedded;
    }
    if (outcome !== 'installed' && outcome !== 'ready') {
      await backend.close();
      throw new Error(`The site could not be set up: ${outcome.slice(0, 2000)}`);
    }
    log(
      `WordPress is ${outcome} on http://${settings.host}:${port} (${backend.description}); its admin's password is in ${admin.file}`,
    );
    return backend;
  };

  const serve = async (): Promise<void> => {
    const backend = await setUp();
    php = backend;
    void backend.lost.then(lost.resolve);
  };
  const ready = serve();
  // Whoever waits for `ready` gets the error; nobody has to.
  ready.catch(() => undefined);
  return {
    port,
    ready,
    lost: lost.promise,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const cut = setTimeout(() => server.closeAllConnections(), closeGrace);
      await closed;
      clearTimeout(cut);
      await ready.catch(() => undefined);
      await php?.close();
    },
  };
}

/** Each way of running the site has a folder of its own: none can spoil another's data. */
function folderName(php: PhpRuntime): string {
  if (php.kind === 'embedded') return 'embedded';
  return php.database ? 'php-mysql' : 'php-sqlite';
}
