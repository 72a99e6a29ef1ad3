import { createAuditRepository } from './audit-repository.ts';
import type { AuditRepository } from './audit-repository.ts';
import { createExperimentRepository } from './experiment-repository.ts';
import type { ExperimentRepository } from './experiment-repository.ts';
import type { ProductRepository } from './product-repository.ts';
import { createRampRepository } from './ramp-repository.ts';
import type { RampRepository } from './ramp-repository.ts';
import { createResultsRepository } from './results-repository.ts';
import type { ResultsRepository } from './results-repository.ts';
import type { SqlDatabase } from './sql-database.ts';
import { createTrackingRepository } from './tracking-repository.ts';
import type { TrackingRepository } from './tracking-repository.ts';
import { createVisitorRepository } from './visitor-repository.ts';
import type { VisitorRepository } from './visitor-repository.ts';

/** What managing experiments keeps in the database. */
export interface ManagementRepositories {
  readonly experiments: ExperimentRepository;
  readonly audit: AuditRepository;
  readonly visitors: VisitorRepository;
  readonly ramps: RampRepository;
  readonly tracking: TrackingRepository;
  readonly results: ResultsRepository;
}

/** All that the API keeps in one database. */
export type Repository = ProductRepository & ManagementRepositories;

/** The parts that are written once for both kinds of database. */
export function managementRepositories(database: SqlDatabase): ManagementRepositories {
  return {
    experiments: createExperimentRepository(database),
    audit: createAuditRepository(database),
    visitors: createVisitorRepository(database),
    ramps: createRampRepository(database),
    tracking: createTrackingRepository(database),
    results: createResultsRepository(database),
  };
}
