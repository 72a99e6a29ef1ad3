import type { Plan, SignUp } from '@turnout/contracts/product';

/** A checked sign-up on its way into the database. */
export interface NewSignUp {
  /** UUIDv7, made by the caller. */
  readonly id: string;
  readonly plan: string;
  readonly name: string;
  readonly email: string;
  readonly createdAt: Date;
  /** Visitor id as the edge forwards it; null when the request did not come through an edge. */
  readonly visitor: string | null;
  /** The visitor's assignments as the edge forwards them (`home-redesign=A`), or null. */
  readonly assignments: string | null;
  /** The client's Idempotency-Key, or null: then every request is a sign-up of its own. */
  readonly idempotencyKey: string | null;
}

/**
 * What became of a sign-up: stored; stored earlier under the same key (the
 * first one is returned); refused as no such plan exists; refused as its key
 * was used for a different sign-up.
 */
export type SignUpOutcome =
  | { readonly outcome: 'created' | 'replayed'; readonly signUp: SignUp }
  | { readonly outcome: 'unknown-plan' }
  | { readonly outcome: 'key-reused' };

/**
 * The product's data. Every method rejects with `RepositoryUnavailable` when
 * the database does not answer in time.
 */
export interface ProductRepository {
  /** All plans, cheapest first. */
  listPlans(): Promise<Plan[]>;
  findPlan(id: string): Promise<Plan | undefined>;
  /** Resolves once the sign-up is durable: it then survives a crash of this process. */
  recordSignUp(signUp: NewSignUp): Promise<SignUpOutcome>;
  /** Resolves when the database answers a query. */
  check(): Promise<void>;
  /** Ends all connections; a second call does nothing. */
  close(): Promise<void>;
}

/** The database is busy, restarting or out of reach; the same call may work later. */
export class RepositoryUnavailable extends Error {
  override readonly name = 'RepositoryUnavailable';
}

/** The database can not be used until somebody changes something; the message says what. */
export class RepositoryUnusable extends Error {
  override readonly name = 'RepositoryUnusable';
}
