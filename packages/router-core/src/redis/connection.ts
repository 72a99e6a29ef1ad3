/** What every user of Redis needs: a connection that fails fast, and calls that always settle. */
export { becomesReady, connect } from './connect.ts';
export { createPendingCalls } from './pending-calls.ts';
