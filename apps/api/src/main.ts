import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { createApp } from './app.ts';
import { openRepository } from './repository/open-repository.ts';
import { RepositoryUnavailable, RepositoryUnusable } from './repository/product-repository.ts';
import { ListenError, startServer } from './server.ts';
import { SettingsError, readSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/** How long to wait for a database that is still starting, in milliseconds. */
const DATABASE_PATIENCE = 30_000;

const logger = pino({ name: 'api' });
const clock = () => performance.now();

try {
  await run(readSettings(process.env));
} catch (error) {
  // What an operator can mend is told in a sentence; anything else keeps its stack.
  const isExplained =
    error instanceof SettingsError ||
    error instanceof RepositoryUnavailable ||
    error instanceof RepositoryUnusable ||
    error instanceof ListenError;
  logger.fatal(isExplained ? { code: error.name } : { err: error }, explanation(error));
  process.exit(1);
}

async function run(settings: Settings): Promise<void> {
  logger.level = settings.logLevel;
  const repository = await openRepository(settings, {
    limit: DATABASE_PATIENCE,
    clock,
    pause,
    onRetry: (error, delay) => logger.warn(`${error.message} Next try in ${delay} ms.`),
  });
  const app = createApp({ repository, logger, newId: randomUUIDv7, now: () => new Date(), clock });
  const server = await startServer(app, settings);

  let isStopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    // Ctrl-C often comes twice, from the terminal and from the process that started us.
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    await server.drain();
    await repository.close();
    process.exit();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  logger.info(
    { url: server.url, database: settings.mysqlUrl === undefined ? 'sqlite' : 'mysql' },
    'listening',
  );
}

function explanation(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
