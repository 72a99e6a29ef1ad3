import type { Upstream } from '@turnout/proxy';
import type { TrafficLabels } from './metrics.ts';

/** An upstream, and the traffic that a request to it counts as. */
export interface Destination {
  readonly upstream: Upstream;
  readonly traffic: TrafficLabels;
}
