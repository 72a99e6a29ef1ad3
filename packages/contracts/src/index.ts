export { configSchema, type Config } from './config.ts';
export { experimentSchema, type ExperimentDocument, type Predicate } from './experiment.ts';
export { ConfigError, readConfig } from './read-config.ts';
