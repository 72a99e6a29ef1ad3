/** What remembers texts by name: `localStorage`, or an object where that is denied. */
export type Memory = Record<string, string>;

/** Posts a report and resolves with the status of the answer; rejects when there is none. */
export type Send = (report: string) => Promise<number>;

export interface Queue {
  /** Keeps a report until the edge has it, and sends it at once. */
  readonly add: (id: string, report: string) => void;
  /** Sends what waits, of this page and of others. */
  readonly flush: () => void;
}

/** Each report has a place of its own: with one list for all, two tabs would undo each other. */
const PREFIX = 'turnout/';
/** Milliseconds after the first failure; doubled with each further one, up to LONGEST. */
const SHORTEST = 1_000;
const LONGEST = 300_000;
const REQUEST_ID = /,"request_id":"[^"]*"/;

/**
 * Reports on their way to the edge. One is forgotten only when the edge has taken it, or has
 * refused it for a reason that does not pass; until then it is sent again and again. It may be
 * sent twice at once, by two tabs or by `online`: its event id makes that harmless.
 *
 * @param stored shared by all tabs of the browser, and kept when they are closed
 * @param later calls back after a time in milliseconds
 * @param random from 0 up to 1
 */
export function createQueue(
  stored: Memory,
  send: Send,
  later: (run: () => void, delay: number) => unknown,
  random: () => number,
): Queue {
  let failures = 0;
  let retrying = false;

  const deliver = async (name: string, report: string): Promise<void> => {
    if (await sendMended(send, report).then(isSettled, () => false)) {
      failures = 0;
      delete stored[name];
    } else if (!retrying) {
      retrying = true;
      // Browsers that failed together should not come back together.
      const delay = Math.min(LONGEST, SHORTEST * 2 ** failures++) * (0.5 + random() / 2);
      later(() => {
        retrying = false;
        flush();
      }, delay);
    }
  };

  const flush = (): void => {
    for (const name of Object.keys(stored)) {
      const report = name.startsWith(PREFIX) && stored[name];
      if (report) void deliver(name, report);
    }
  };

  return {
    add(id, report) {
      const name = PREFIX + id;
      try {
        stored[name] = report;
      } catch {
        // A full storage costs the retries.
      }
      void deliver(name, report);
    },
    flush,
  };
}

/**
 * Sends a report; where it is refused for what it disagrees with, without the one thing that
 * may be out of date: the edge knows a request for some days.
 */
async function sendMended(send: Send, report: string): Promise<number> {
  const status = await send(report);
  const mended = report.replace(REQUEST_ID, '');
  return status === 409 && mended !== report ? send(mended) : status;
}

/**
 * Whether an answer is the last word: taken (202), not to be counted (204), or refused for good.
 * Anything else may pass, or be a page of some network that wants a log-in.
 */
function isSettled(status: number): boolean {
  return /^20[24]|^4(?!08|29)/.test(`${status}`);
}
