import type { Assigner } from '@turnout/router-core';
import type { Logger } from './log.ts';

/** How often the breaker is looked at, in ms. */
const LOOK_EVERY = 1_000;

/** Says in the log when the ledger is given up for a while, and when it is back. */
export function watchLedgerOutages(assigner: Assigner, log: Logger): { close(): void } {
  let isOut = false;
  const timer = setInterval(() => {
    const { breaker, writeBehindLength, storeErrors, storeTimeouts } = assigner.status();
    const figures = { writesWaiting: writeBehindLength, storeErrors, storeTimeouts };
    if (breaker === 'open' && !isOut) {
      isOut = true;
      log.warn(figures, 'the ledger is out of reach: routing by cookie and hash');
    } else if (breaker === 'closed' && isOut) {
      isOut = false;
      log.info(figures, 'the ledger is back: what was decided meanwhile is being written');
    }
  }, LOOK_EVERY);
  return {
    close() {
      clearInterval(timer);
      const { writeBehindLength } = assigner.status();
      if (writeBehindLength === 0) return;
      log.warn(
        { writesWaiting: writeBehindLength },
        'assignments never reached the ledger; the cookies of their visitors hold them',
      );
    },
  };
}
