import type { VisitorAssignments } from '@turnout/contracts/management';
import type { JsonClient } from './api-client.ts';

/** The API's address of a visitor, or of something below it. */
export function visitorPath(visitor: string, below = ''): string {
  return `/v1/visitors/${encodeURIComponent(visitor)}${below}`;
}

/** What the ledger knows of a visitor. */
export function fetchVisitor(api: JsonClient, visitor: string): Promise<VisitorAssignments> {
  return api.request('GET', visitorPath(visitor));
}
