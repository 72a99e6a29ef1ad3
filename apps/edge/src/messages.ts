import type { Config } from '@turnout/contracts';
import type { ExplainRequest, Explanation } from '@turnout/contracts/explanation';
import type { VisitorId } from '@turnout/router-core';
import type { SnapshotHead } from './live.ts';
import type { MetricSnapshot } from './metrics.ts';

/** What the primary tells a worker. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly config: Config;
      readonly dataDir: string;
      readonly cookieSecrets: readonly string[];
      /** Whether a ledger that can't be opened is a reason not to serve. */
      readonly needsLedger: boolean;
    }
  /** Some of what it lacks of the snapshot to come, as JSON. */
  | { readonly kind: 'experiments'; readonly texts: readonly string[] }
  /** What to decide by from now on; the first one is what to begin with. */
  | ({ readonly kind: 'snapshot' } & SnapshotHead)
  /** What is remembered of the visitor is no longer true. */
  | { readonly kind: 'visitor'; readonly visitor: VisitorId }
  | { readonly kind: 'metrics'; readonly request: number }
  | { readonly kind: 'explain'; readonly request: number; readonly question: ExplainRequest }
  | { readonly kind: 'drain' };

/** What a worker tells the primary. */
export type FromWorker =
  | { readonly kind: 'listening'; readonly port: number }
  /** It can't serve, and another try would end the same way. */
  | { readonly kind: 'hopeless'; readonly reason: string }
  /** Whether it decides by the snapshot that it was sent; else it goes on as before. */
  | { readonly kind: 'adopted'; readonly isUsed: boolean }
  /** `request` is 0 when nobody asked. */
  | { readonly kind: 'metrics'; readonly request: number; readonly snapshot: MetricSnapshot }
  | { readonly kind: 'explanation'; readonly request: number; readonly explanation: Explanation };
