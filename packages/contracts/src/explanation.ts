import { z } from 'zod';

/** What browsers and other clients send. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** A path, or an absolute URL with a host. */
const EXPLAINABLE = /^(?:\/|https?:\/\/[^/?#\s]+(?:[/?#]|$))\S*$/i;

/**
 * Why a request goes where it goes: `POST /v1/explain` on the edge's private port. Nothing is
 * minted, written or counted.
 */
export const explainRequestSchema = z.strictObject({
  method: z.enum(METHODS, `expected one of ${METHODS.join(', ')}`).default('GET'),
  /** Absolute, or a path: then of the first of `public.hosts`. */
  url: z.string().regex(EXPLAINABLE, 'expected an http or https URL, or a path that begins with /'),
  headers: z.record(z.string(), z.string()).default({}),
});
export type ExplainRequest = z.input<typeof explainRequestSchema>;

/** What one rule said of the request; combinations hold what their parts said. */
export interface RuleTrace {
  /** For people: `header x-beta is "1"`. */
  readonly rule: string;
  readonly holds: boolean;
  /** What the request has there, where that is one thing: `"0"`, `nothing`. */
  readonly saw?: string;
  readonly parts?: readonly RuleTrace[];
}

/** One step of a request's life. */
export interface ExplainStep {
  /** Such as `host`, `route`, `experiment`, `visitor`, `assignment`. */
  readonly step: string;
  /** For people, a sentence. */
  readonly detail: string;
  readonly rules?: readonly RuleTrace[];
}

export interface Explanation {
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly kind: string;
  };
  /** Of the snapshot that decided; absent where none was published. */
  readonly revision?: number;
  readonly steps: readonly ExplainStep[];
  readonly outcome: {
    /** Absent where the edge answers itself. */
    readonly upstream?: string;
    readonly status?: number;
    readonly experiment?: string;
    readonly variant?: string;
    readonly source?: string;
    readonly counted: boolean;
  };
}
