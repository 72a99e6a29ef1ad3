import { randomUUIDv7 } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { writeAddressFile } from '@turnout/contracts/address-file';
import type { AddressFile } from '@turnout/contracts/address-file';
import { createApp } from './app.ts';
import { openManagement } from './management/open-management.ts';
import { StoresUnusable } from './publication/open-stores.ts';
import { openRepository } from './repository/open-repository.ts';
import { RepositoryUnavailable, RepositoryUnusable } from './repository/product-repository.ts';
import { withinTime } from './repository/time-limit.ts';
import { untilAvailable } from './repository/until-available.ts';
import type { Patience } from './repository/until-available.ts';
import { ListenError, startServer } from './server.ts';
import { SettingsError, readSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { openTracking } from './tracking/open-tracking.ts';

/** How long the start waits for a database that does not answer, in milliseconds. */
const DATABASE_PATIENCE = 30_000;
/** How long the end waits for the stores that edges share, in milliseconds. */
const STORES_GOODBYE = 1_000;

const logger = pino({ name: 'api' });
const clock = () => performance.now();
const now = () => new Date();

try {
  await run(readSettings(process.env, readText));
} catch (error) {
  // What an operator can mend is told in a sentence; anything else keeps its stack.
  const isExplained =
    error instanceof SettingsError ||
    error instanceof RepositoryUnavailable ||
    error instanceof RepositoryUnusable ||
    error instanceof StoresUnusable ||
    error instanceof ListenError;
  logger.fatal(isExplained ? { code: error.name } : { err: error }, explanation(error));
  process.exit(1);
}

async function run(settings: Settings): Promise<void> {
  logger.level = settings.logLevel;
  const patience: Patience = {
    limit: DATABASE_PATIENCE,
    clock,
    pause,
    onRetry: (error, delay) => logger.warn(`${error.message} Next try in ${delay} ms.`),
  };
  const repository = await openRepository(settings, patience);
  const open = openManagement({ settings, repository, logger, now });
  const { management } = open;
  const tracking = openTracking({ settings, repository: repository.tracking, logger, now });
  const app = createApp({
    repository,
    management,
    metrics: tracking.metrics,
    logger,
    newId: randomUUIDv7,
    now,
    clock,
  });
  const server = await startServer(app, settings);
  await untilAvailable(() => open.begin(), patience);
  tracking.begin();
  const address = announce(settings, server.url);

  let isStopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    // Ctrl-C often comes twice, from the terminal and from the process that started us.
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    address?.remove();
    await server.drain();
    // A store that hangs says no goodbye; the process must end all the same.
    await withinTime(Promise.all([open.close(), tracking.close()]), STORES_GOODBYE).catch(
      () => undefined,
    );
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

/** Nothing but the command line needs it, so that a folder that can't be written is no reason to end. */
function announce({ dataFolder }: Settings, url: string): AddressFile | undefined {
  try {
    return writeAddressFile(dataFolder, 'api.json', url);
  } catch (error) {
    logger.warn(
      `Can not write api.json in ${dataFolder} (${explanation(error)}): give the command line --api ${url}`,
    );
    return undefined;
  }
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function explanation(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
