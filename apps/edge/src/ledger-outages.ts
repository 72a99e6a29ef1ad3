import type { AssignerStatus } from '@turnout/router-core';
import type { Logger } from './log.ts';

/** Says in the log that the ledger is given up for a while (`open`), or back (`closed`). */
export function logLedgerOutage(
  log: Logger,
  state: 'open' | 'closed',
  { writeBehindLength, storeErrors, storeTimeouts }: AssignerStatus,
): void {
  const figures = { writesWaiting: writeBehindLength, storeErrors, storeTimeouts };
  if (state === 'open') {
    log.warn(figures, 'the ledger is out of reach: routing by cookie and hash');
  } else {
    log.info(figures, 'the ledger is back: what was decided meanwhile is being written');
  }
}

/** Says at the end of a worker what it never could write. */
export function logUnwritten(log: Logger, { writeBehindLength }: AssignerStatus): void {
  if (writeBehindLength === 0) return;
  log.warn(
    { writesWaiting: writeBehindLength },
    'assignments never reached the ledger; the cookies of their visitors hold them',
  );
}
