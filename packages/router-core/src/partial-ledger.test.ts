import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAssigner } from './assigner.ts';
import { createEmbeddedStore } from './embedded/index.ts';
import { compileExperiment } from './experiment.ts';
import type { AssignmentStore } from './store.ts';
import { createVisitorCookie } from './visitor-cookie.ts';
import type { VisitorId } from './visitor-cookie.ts';

/** The assigner with a ledger that serves some visitors and not others, as a Cluster may. */

const DAY = 86_400_000;
const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });
const mint = (): VisitorId => cookie.mint();
const running = compileExperiment({
  key: 'home',
  status: 'running',
  phase: 1,
  revision: 1,
  scope: { paths: ['/'] },
  variants: [{ key: 'control', upstream: 'site', weight: 100, control: true }],
});

test('a store that fails for some is written for the others, and not asked in a hot loop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-assigner-'));
  const store = createEmbeddedStore({ file: join(folder, 'ledger.db'), ttl: DAY });
  // As in a Cluster that has lost a node.
  const lost = new Set(Array.from({ length: 300 }, mint));
  let refusals = 0;
  const partial: AssignmentStore = {
    ...store,
    async getOrSet(visitor, ...rest) {
      if (!lost.has(visitor)) return store.getOrSet(visitor, ...rest);
      refusals += 1;
      throw new Error('The node is lost');
    },
  };
  const assigner = createAssigner({ store: partial, breaker: { delay: 10, maxDelay: 20 } });
  for (const id of lost) void assigner.assign({ id, mirror: [], minted: true }, running);
  await expect.poll(() => assigner.status().breakerOpened, { timeout: 10_000 }).toBe(1);

  const others: VisitorId[] = [];
  const [began, refusalsBefore] = [performance.now(), refusals];
  while (performance.now() - began < 500) {
    const id = mint();
    others.push(id);
    void assigner.assign({ id, mirror: [], minted: true }, running);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const seconds = (performance.now() - began) / 1_000;
  // A batch of 200 each 100 ms, and what the breaker's probes ask for.
  expect((refusals - refusalsBefore) / seconds).toBeLessThan(4_000);
  await expect
    .poll(
      async () => (await Promise.all(others.map((id) => store.get(id)))).map(({ size }) => size),
      {
        timeout: 10_000,
      },
    )
    .not.toContain(0);
  await expect
    .poll(() => assigner.status().writeBehindLength, { timeout: 10_000 })
    .toBeLessThanOrEqual(lost.size);

  lost.clear();
  await expect.poll(() => assigner.status().writeBehindLength, { timeout: 10_000 }).toBe(0);
  await assigner.close();
  await store.close();
  rmSync(folder, { recursive: true });
});
