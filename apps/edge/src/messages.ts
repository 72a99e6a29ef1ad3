import type { Config } from '@turnout/contracts';
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
  | { readonly kind: 'metrics'; readonly request: number }
  | { readonly kind: 'drain' };

/** What a worker tells the primary. */
export type FromWorker =
  | { readonly kind: 'listening'; readonly port: number }
  /** It can't serve, and another try would end the same way. */
  | { readonly kind: 'hopeless'; readonly reason: string }
  /** `request` is 0 when nobody asked. */
  | { readonly kind: 'metrics'; readonly request: number; readonly snapshot: MetricSnapshot };
