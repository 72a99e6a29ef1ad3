// The two ports that people are told: they do not move, they are free or the start fails.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@turnout/contracts';
import { holderOf, isFree } from './ports.ts';

/** How long (ms) servers of a run that was killed may take to notice and end. */
const leftBehindMs = 12_000;

/**
 * @param leftBehind whether the last run was killed; its servers may still be ending
 * @returns the ports
 * @throws {Error} naming the port, who holds it, and the setting
 */
export async function claimPublicPorts(config: Config, leftBehind: boolean): Promise<number[]> {
  const wanted = [
    { which: 'public', port: config.public.port, variable: 'TURNOUT_PORT' },
    { which: 'private', port: config.private.port, variable: 'TURNOUT_PRIVATE_PORT' },
  ];
  const until = performance.now() + (leftBehind ? leftBehindMs : 0);
  for (const { which, port, variable } of wanted) {
    while (!(await isFree(port))) {
      if (performance.now() < until) {
        await sleep(200);
        continue;
      }
      const holder = await holderOf(port);
      throw new Error(
        `The ${which} port ${port} is taken${holder === undefined ? '' : ` by ${holder}`}. ` +
          `End that program, or choose another port: ${variable}=${port + 1000} npm start`,
      );
    }
  }
  return wanted.map(({ port }) => port);
}
