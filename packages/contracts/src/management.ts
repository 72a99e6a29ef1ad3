import { z } from 'zod';
import { STATUSES, experimentSchema } from './experiment.ts';

/**
 * The management API (`/v1` of apps/api): what the command line and the console send, and
 * what they get. Errors are RFC 9457 problem documents.
 */

/** Roles of bearer tokens, each with all that those before it may do. */
export const ROLES = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a change means for visitors who are assigned already.
 *
 * - `new-visitors`: they keep their variant; only new ones follow the new weights.
 * - `move-fewest`: as few as possible move, so that all are split by the new weights.
 * - `new-phase`: all are drawn afresh.
 */
export const MEANINGS = ['new-visitors', 'move-fewest', 'new-phase'] as const;
export type Meaning = (typeof MEANINGS)[number];
const meaning = z.enum(MEANINGS).default('new-visitors');

const reason = z
  .string('expected a reason: why is this changed?')
  .trim()
  .min(1, 'expected a reason: why is this changed?')
  .max(500, 'expected a reason of at most 500 characters');
const revision = z.int().min(1);
const dryRun = z.boolean().default(false);

/** `POST /v1/experiments` */
export const creationSchema = z.strictObject({ document: experimentSchema, reason, dryRun });

/** `PUT /v1/experiments/:key`: `revision` is the one that the change was made from. */
export const replacementSchema = z.strictObject({
  document: experimentSchema,
  revision,
  reason,
  meaning,
  dryRun,
});

/** `POST /v1/experiments/:key/allocation` */
export const allocationSchema = z.strictObject({
  /** Percent by variant key; all variants, 100 in total. */
  weights: z.record(z.string(), z.number()),
  revision,
  reason,
  meaning,
  dryRun,
});

/** `POST /v1/experiments/:key/status`: a kill is not held up by a revision that has moved on. */
export const statusChangeSchema = z.strictObject({
  status: z.enum(STATUSES),
  winner: z.string().exactOptional(),
  revision: revision.exactOptional(),
  reason,
  dryRun,
});

/** `POST /v1/experiments/:key/revert`: back to what it was before, or at revision `to`. */
export const revertSchema = z.strictObject({
  revision,
  to: revision.exactOptional(),
  reason,
  meaning,
  dryRun,
});

/** `POST /v1/apply`: documents as in a file; those not named stay. All or nothing. */
export const applySchema = z.strictObject({
  experiments: z.array(experimentSchema),
  /** The revisions that the documents were made from, where known; 0: there was none. */
  revisions: z.record(z.string(), z.int().min(0)).default({}),
  reason,
  meaning,
  dryRun,
});

/** `POST /v1/experiments/:key/preview` */
export const previewRequestSchema = z.strictObject({
  variant: z.string(),
  /** Where the link leads. */
  path: z.string().startsWith('/').default('/'),
  /** Seconds until it ends. */
  expiresIn: z
    .int()
    .min(60)
    .max(30 * 86_400)
    .default(7 * 86_400),
});

/** `PUT /v1/visitors/:visitor/assignments/:experiment` */
export const reassignmentSchema = z.strictObject({ variant: z.string(), reason });

/** One difference of two documents, such as `variants[0].weight: 50 → 30`. */
export interface Difference {
  readonly path: readonly (string | number)[];
  /** Absent where something is new. */
  readonly before?: unknown;
  /** Absent where something is gone. */
  readonly after?: unknown;
}

/** Visitors who would change from one variant to another. */
export interface VisitorMove {
  readonly from: string;
  readonly to: string;
  /** The share of the visitors of `from`, 0 to 1. */
  readonly share: number;
  /** An estimate, from the unique visitors of the days that `counted` says. */
  readonly visitors: number;
}

/** Who would move by a change. */
export interface MovePreview {
  /** Slots, of 10,000, that get another variant for new visitors. */
  readonly slotsMoved: number;
  readonly moves: readonly VisitorMove[];
  /** Assigned visitors seen on the last `days` days; undefined where the ledger could not say. */
  readonly counted?: { readonly visitors: number; readonly days: number };
}

export type ExperimentDocument = z.infer<typeof experimentSchema>;

export interface ExperimentRecord {
  readonly key: string;
  readonly revision: number;
  readonly document: ExperimentDocument;
  /** Of the latest revision. */
  readonly author: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface RevisionRecord {
  readonly revision: number;
  readonly document: ExperimentDocument;
  readonly author: string;
  readonly reason: string;
  readonly meaning: Meaning;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** To the revision before; empty for the first. */
  readonly diff: readonly Difference[];
}

/** What a change did, or with `dryRun` would do. */
export interface Change {
  readonly action: 'create' | 'change' | 'none';
  readonly dryRun: boolean;
  readonly experiment: ExperimentRecord;
  readonly diff: readonly Difference[];
  readonly preview: MovePreview;
  /**
   * For people: what it does that may not be meant, such as an experiment that gets no visitor.
   * Absent where there is nothing to say.
   */
  readonly warnings?: readonly string[];
  /** Whether edges can know of it already. */
  readonly published: PublishedSnapshot;
}

export interface ApplyResult {
  readonly changes: readonly Change[];
}

/** The snapshot that edges follow. */
export interface PublishedSnapshot {
  /** Grows with every change of any experiment; 0 before the first. */
  readonly revision: number;
  /** ISO 8601, UTC; undefined until it could be published. */
  readonly publishedAt?: string;
}

export interface ExperimentList {
  readonly experiments: readonly ExperimentRecord[];
  readonly published: PublishedSnapshot;
}

export interface History {
  /** Newest first. */
  readonly revisions: readonly RevisionRecord[];
}

export interface PreviewLink {
  readonly url: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

export interface VisitorAssignments {
  readonly visitor: string;
  readonly assignments: readonly {
    readonly experiment: string;
    readonly variant: string;
    readonly phase: number;
    readonly revision: number;
  }[];
}

/** `DELETE /v1/visitors/:visitor` */
export interface Erasure {
  readonly visitor: string;
  /** Rows and keys that are gone, by what they were. */
  readonly erased: Readonly<Record<string, number>>;
}

/** What somebody did: `GET /v1/audit`, newest first. */
export interface AuditRow {
  readonly at: string;
  readonly author: string;
  /** Such as `experiment.change`, `visitor.reassign`, `visitor.forget`. */
  readonly action: string;
  readonly subject: string;
  readonly reason: string;
}

/** `GET /v1/audit` */
export interface AuditLog {
  /** Newest first. */
  readonly rows: readonly AuditRow[];
}
