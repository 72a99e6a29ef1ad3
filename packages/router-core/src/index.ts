/**
 * Cookie to visitor to assignment: the decision of which variant a visitor gets, and the
 * ledger it is kept in. Pure but for what is passed in; stores are behind `./redis` and
 * `./embedded`. Knows nothing of HTTP beyond header values, nor of who uses it.
 */
export {
  MAX_MIRROR_ENTRIES,
  createVisitorCookie,
  isVisitorId,
  visitorId,
  withMirrorEntry,
} from './visitor-cookie.ts';
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
export { ExperimentError, compileExperiment, isInForce } from './experiment.ts';
export type {
  Experiment,
  ExperimentDefinition,
  ExperimentStatus,
  MoveDefinition,
  Variant,
  VariantDefinition,
} from './experiment.ts';
export { NextExperimentSet, compileExperiments } from './experiment-set.ts';
export { byPriority } from './priority.ts';
export { findShadows } from './shadow.ts';
export type { Shadow } from './shadow.ts';
export type { ExperimentSet } from './experiment-set.ts';
export { PredicateError, compilePredicate, predicateProblems } from './rules/predicate.ts';
export type { Predicate } from './rules/predicate.ts';
export { planChange } from './allocation.ts';
export type { AllocationPlan, Meaning } from './allocation.ts';
export { drawVisitors, simulate } from './simulate.ts';
export type {
  SimulatedChange,
  SimulatedExperiment,
  SimulatedRequest,
  Simulation,
  Split,
} from './simulate.ts';
export { HOLDOUT, OUTSIDE } from './move-preview.ts';
export type { VisitorShare } from './move-preview.ts';
export type {
  BotClass,
  Device,
  NamedPattern,
  PathPattern,
  PredicateDefinition,
  TextPattern,
} from './rules/definition.ts';
export type { DefinitionProblem } from './rules/problem.ts';
export { createRequestTraits } from './rules/request-traits.ts';
export type { RequestSource, RequestTraits } from './rules/request-traits.ts';
export { compileHosts, compilePathGlob, normaliseHost, normalisePath } from './path-match.ts';
export type { HostMatcher, PathMatcher } from './path-match.ts';
export { botClassOf } from './rules/user-agent.ts';
export { isLocalPath, readPreview, signPreview } from './preview-token.ts';
export type { Preview, PreviewReading } from './preview-token.ts';
export { createRouteTable } from './route-table.ts';
export type { Route, RouteTable } from './route-table.ts';
export {
  assigned,
  isHoldout,
  isInLayer,
  isMoved,
  propose,
  proposeFromHash,
  proposeFromMirror,
  withoutAssignment,
} from './assignment.ts';
export type {
  Assigned,
  AssignmentResult,
  AssignmentSource,
  Unassigned,
  UnassignedReason,
  Visitor,
} from './assignment.ts';
export { createTimeSlices } from './time-slices.ts';
export { createAssigner } from './assigner.ts';
export type { Assigner, AssignerOptions, AssignerStatus } from './assigner.ts';
export type { BreakerOptions, BreakerState } from './breaker.ts';
export type { SnapshotStore } from './snapshot-store.ts';
export type {
  AssignmentStore,
  Departure,
  Ledger,
  LedgerEntry,
  StoredAssignment,
  VisitorCounter,
} from './store.ts';
export { explainPredicate, explainRoute, explainScope } from './rules/rule-trace.ts';
export type { RuleTrace } from './rules/rule-trace.ts';
