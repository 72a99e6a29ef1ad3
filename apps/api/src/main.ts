import { randomUUIDv7 } from 'node:crypto';
import { pino } from 'pino';
import { createApp } from './app.ts';
import { openRepository } from './repository/open-repository.ts';
import { RepositoryUnavailable, RepositoryUnusable } from './repository/product-repository.ts';
import { startServer } from './server.ts';
import { SettingsError, readSettings } from './settings.ts';
import type { Settings } from './settings.ts';

const logger = pino({ name: 'api' });

try {
  await run(readSettings(process.env));
} catch (error) {
  // What an operator can mend is told in a sentence; anything else keeps its stack.
  if (
    error instanceof SettingsError ||
    error instanceof RepositoryUnavailable ||
    error instanceof RepositoryUnusable
  ) {
    logger.fatal(error.message);
  } else {
    logger.fatal(error);
  }
  process.exitCode = 1;
}

async function run(settings: Settings): Promise<void> {
  logger.level = settings.logLevel;
  const repository = await openRepository(settings);
  const app = createApp({
    repository,
    logger,
    newId: randomUUIDv7,
    now: () => new Date(),
    clock: () => performance.now(),
  });
  const server = await startServer(app, settings);
  logger.info({ url: server.url }, 'listening');
  const stop = async (signal: NodeJS.Signals) => {
    logger.info({ signal }, 'stopping');
    await server.drain();
    await repository.close();
    process.exit();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
