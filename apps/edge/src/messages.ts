import type { Config, Snapshot } from '@turnout/contracts';
import type { ExplainRequest, Explanation } from '@turnout/contracts/explanation';
import type { VisitorId } from '@turnout/router-core';
import type { MetricSnapshot } from './metrics.ts';

/** What the primary tells a worker. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly config: Config;
      /** The experiments to begin with. */
      readonly snapshot: Snapshot;
      readonly dataDir: string;
      readonly cookieSecrets: readonly string[];
      /** Whether a ledger that can't be opened is a reason not to serve. */
      readonly needsLedger: boolean;
    }
  /** The experiments to decide by from now on. */
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
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
  /** `request` is 0 when nobody asked. */
  | { readonly kind: 'metrics'; readonly request: number; readonly snapshot: MetricSnapshot }
  | { readonly kind: 'explanation'; readonly request: number; readonly explanation: Explanation };
