export { configSchema, type Config } from './config.ts';
export { experimentSchema, type ExperimentDocument, type Predicate } from './experiment.ts';
export type { LooseDocument } from './loose-document.ts';
export type { Path, Problem } from './problem.ts';
export { ConfigError, readConfig } from './read-config.ts';
