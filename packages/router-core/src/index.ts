/**
 * Cookie to visitor to assignment: the decision of which variant a visitor gets, and the
 * ledger it is kept in. Pure but for what is passed in; stores are behind `./redis` and
 * `./embedded`. Knows nothing of HTTP beyond header values, nor of who uses it.
 */
export { createVisitorCookie, isVisitorId, visitorId, withMirrorEntry } from './visitor-cookie.ts';
export type {
  CookieReading,
  CookieRejection,
  MirrorEntry,
  VisitorCookie,
  VisitorCookieOptions,
  VisitorId,
} from './visitor-cookie.ts';
export {
  SLOTS,
  checkPartition,
  coverageSlot,
  layerSlot,
  rangesFromWeights,
  slotOf,
} from './slots.ts';
export type { Range } from './slots.ts';
export { ExperimentError, compileExperiment } from './experiment.ts';
export type {
  Experiment,
  ExperimentDefinition,
  ExperimentProblem,
  ExperimentStatus,
  MoveDefinition,
  Variant,
  VariantDefinition,
} from './experiment.ts';
export { planChange } from './allocation.ts';
export type { AllocationPlan, Meaning } from './allocation.ts';
export { HOLDOUT, OUTSIDE } from './move-preview.ts';
export type { VisitorShare } from './move-preview.ts';
export { compileAudience } from './audience.ts';
export type {
  BotClass,
  Device,
  NamedPattern,
  PathPattern,
  Predicate,
  PredicateDefinition,
  RequestTraits,
  TextPattern,
} from './audience.ts';
export { compileHosts, compilePathGlob, normaliseHost, normalisePath } from './path-match.ts';
export type { HostMatcher, PathMatcher } from './path-match.ts';
export { isLocalPath, readPreview, signPreview } from './preview-token.ts';
export type { Preview, PreviewReading } from './preview-token.ts';
export { createRouteTable } from './route-table.ts';
export type { Route, RouteTable } from './route-table.ts';
export { isHoldout, isInLayer, propose, selectExperiment } from './assignment.ts';
export type {
  Assigned,
  AssignmentResult,
  AssignmentSource,
  Unassigned,
  UnassignedReason,
  Visitor,
} from './assignment.ts';
export { createAssigner } from './assigner.ts';
export type { Assigner, AssignerOptions, AssignerStatus } from './assigner.ts';
export type { BreakerOptions, BreakerState } from './breaker.ts';
export type { SnapshotStore } from './snapshot-store.ts';
export type {
  AssignmentStore,
  Ledger,
  LedgerEntry,
  StoredAssignment,
  VisitorCounter,
} from './store.ts';
