import { cookieSecrets } from '@turnout/contracts/cookie-secrets';
import { pathName } from '@turnout/contracts';
import type { Problem } from '@turnout/contracts';
import type { ExperimentRecord } from '@turnout/contracts/management';
import type { Logger } from 'pino';
import { createAuthenticate } from '../auth/tokens.ts';
import { documentProblems } from '../experiments/document-problems.ts';
import type { Draft } from '../experiments/document-problems.ts';
import { createExperiments } from '../experiments/experiments.ts';
import { createPreviewLinks } from '../experiments/preview-link.ts';
import { seedExperiments } from '../experiments/seeds.ts';
import type { Seeding } from '../experiments/seeds.ts';
import { openStores } from '../publication/open-stores.ts';
import { createPublisher } from '../publication/publisher.ts';
import { createRamps } from '../ramps/ramps.ts';
import { createReadEdges } from '../ramps/read-edges.ts';
import { createResults } from '../results/results.ts';
import type { Repository } from '../repository/repository.ts';
import type { Settings } from '../settings.ts';
import { repeat } from './repeat.ts';
import type { Repetition } from './repeat.ts';
import type { Management } from './management-routes.ts';

/** Milliseconds from one look at the results to the next: the planned size is noticed that late. */
const LOOK_EVERY = 10_000;

export interface ManagementOptions {
  readonly settings: Settings;
  readonly repository: Repository;
  readonly logger: Logger;
  readonly now: () => Date;
}

/** Managing experiments, with all that it stands on. */
export interface OpenManagement {
  readonly management: Management;
  /**
   * Seeds what is not there; publishes, and walks ramps, from now on. Rejects as the repository
   * does, and can then be called again.
   */
  begin(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens what managing experiments needs.
 *
 * @throws StoresUnusable, or Error for secrets that can't be read or made
 */
export function openManagement(options: ManagementOptions): OpenManagement {
  const { settings, repository, logger, now } = options;
  const { audit, visitors } = repository;
  const { tokens, upstreams, publicUrl, dataFolder } = settings;
  const [secret = ''] = settings.cookieSecrets ?? cookieSecrets(dataFolder);
  const stores = openStores(settings.redisUrl, dataFolder);
  const { ledger } = stores;
  const publisher = createPublisher({
    repository: repository.experiments,
    store: stores.snapshots,
    now,
    onFailure: (error) =>
      logger.warn(
        { err: error },
        'The experiments can not be published: edges keep what they have. Trying again every second.',
      ),
    onRecovery: () => logger.info('The experiments are published again.'),
  });
  const experiments = createExperiments({
    repository: repository.experiments,
    upstreams,
    countVisitors: (...group) => ledger.visitors.countOver(...group),
    publisher,
    now,
  });
  const ramps = createRamps({
    experiments,
    repository: repository.ramps,
    readEdges: createReadEdges(settings.edges),
    now,
    logger,
  });
  const results = createResults({ experiments, repository: repository.results, now });
  let repetitions: Repetition[] = [];
  return {
    management: {
      authenticate: tokens.length === 0 ? undefined : createAuthenticate(tokens),
      experiments,
      makePreviewLink: createPreviewLinks({ publicUrl, secret, audit, now }),
      ledger,
      audit,
      visitors,
      ramps,
      results,
      now,
    },
    async begin() {
      tellSeeding(await seedExperiments(experiments, settings.seeds), logger);
      const live = (await experiments.list()).experiments;
      tellProblems(await documentProblems(live.map(placed), [], upstreams), logger);
      if (tokens.length === 0) logger.warn(NO_TOKEN);
      publisher.start();
      repetitions = [
        repeat(
          () => ramps.look(),
          settings.rampEvery,
          (error) => logger.warn({ err: error }, 'The ramps can not be looked at. Trying again.'),
        ),
        repeat(
          () => results.look(),
          LOOK_EVERY,
          (error) => logger.warn({ err: error }, 'The results can not be looked at. Trying again.'),
        ),
      ];
    },
    async close() {
      await Promise.all(repetitions.map((each) => each.stop()));
      await publisher.close();
      await stores.close();
    },
  };
}

const NO_TOKEN =
  'Managing experiments is off, as no token is set: start with TURNOUT_ADMIN_TOKEN, at least 16 characters.';

function tellSeeding({ created, different, problems }: Seeding, logger: Logger): void {
  if (created.length > 0) logger.info({ experiments: created }, 'created from turnout.yaml');
  if (different.length > 0) {
    logger.warn(
      { experiments: different },
      'turnout.yaml differs from what is live, and what is live counts. To make the file count: turnout apply -f turnout.yaml',
    );
  }
  if (problems.length > 0) {
    logger.error(
      { problems },
      'The new experiments of turnout.yaml can not be created beside those that are live.',
    );
  }
}

function placed({ key, document }: ExperimentRecord): Draft {
  return { document, at: [key] };
}

/** Such as an upstream that turnout.yaml names no more. */
function tellProblems(problems: readonly Problem[], logger: Logger): void {
  if (problems.length === 0) return;
  logger.error(
    { problems: problems.map(({ path, message }) => `${pathName(path)}: ${message}`) },
    'Edges with this turnout.yaml can not use the experiments as they stand: their logs say what they do instead. Change the file or the experiments.',
  );
}
