export { configSchema, type Config } from './config.ts';
export { experimentSchema, type ExperimentDocument } from './experiment.ts';
export {
  BOT_CLASSES,
  DEVICES,
  predicateSchema,
  type BotClass,
  type Device,
  type NamedPattern,
  type PathPattern,
  type Predicate,
  type TextPattern,
} from './predicate.ts';
export {
  SHORTFALL_OUTCOMES,
  SnapshotError,
  createSnapshotReader,
  type ReadSnapshot,
  type Shortfall,
  type SnapshotReading,
  type UsableExperiment,
} from './read-snapshot.ts';
export { layerOverlaps } from './layers.ts';
export { repeatedExperiments } from './references.ts';
export { pathName } from './problem.ts';
export { schemaProblems } from './schema-problems.ts';
export { snapshotSchema, type Snapshot } from './snapshot.ts';
export { configJsonSchema, experimentJsonSchema, type JsonSchema } from './json-schema.ts';
export type { LooseDocument } from './loose-document.ts';
export type { Path, Problem } from './problem.ts';
export { ConfigError } from './config-error.ts';
export { readConfig } from './read-config.ts';
export { readExperiments, type ExperimentFile } from './read-experiments.ts';
