import { createCrowd, type TestVisitor } from './visitors.ts';

/** A visitor whose variant must stay what it was from the start, or from the first page on. */
export interface LoadVisitor extends TestVisitor {
  variant: string | undefined;
}

/** Visitors that come to an edge all the time, while something breaks behind it. */
export interface SteadyLoad {
  /** All who came so far. */
  readonly came: ReadonlySet<LoadVisitor>;
  /** Requests that failed, and visitors who changed variant. There must be none. */
  readonly problems: readonly string[];
  /** The longest that this machine let a timer be late meanwhile, in ms: what it adds to any wait. */
  stall(): number;
  /** One more visit, and the same judgement of it. */
  visit(visitor: LoadVisitor): Promise<void>;
  /** Lets nobody come, until `resume`; resolves once the last has been answered. */
  pause(): Promise<void>;
  resume(): void;
  /** Resolves once `count` more visits have been answered. */
  visits(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds between two visits of a lane. */
const PACE = 20;

/**
 * Starts the load. Of four visits, two are of returning visitors who come to this edge for the
 * first time, one is of somebody new, and one is of somebody who was here a moment ago.
 *
 * @param url the edge
 * @param returning have a cookie and a variant from earlier
 * @param laneCount visits at a time; two are a load that a slow machine carries many times over
 */
export function startLoad(
  url: string,
  returning: readonly LoadVisitor[],
  laneCount = 2,
): SteadyLoad {
  const crowd = createCrowd(url, laneCount);
  const came = new Set<LoadVisitor>();
  const problems: string[] = [];
  const notYetHere = [...returning];
  const recent: LoadVisitor[] = [];
  const state = { isRunning: true, answered: 0, stall: 0 };
  let turn = 0;
  let closing: Promise<void> | undefined;
  let lanes = runLanes();

  function nextVisitor(): LoadVisitor {
    turn += 1;
    const returned = turn % 4 < 2 ? notYetHere.pop() : undefined;
    const again = turn % 4 === 2 ? recent[turn % recent.length] : undefined;
    return returned ?? again ?? newVisitor();
  }

  async function visit(visitor: LoadVisitor): Promise<void> {
    try {
      const served = await crowd.visit(visitor);
      visitor.variant ??= served;
      if (served !== visitor.variant) problems.push(`${visitor.variant} became ${served}`);
    } catch (error) {
      problems.push(String(error));
    }
    came.add(visitor);
    state.answered += 1;
    recent.push(visitor);
    if (recent.length > 100) recent.shift();
  }

  async function runLane(): Promise<void> {
    while (state.isRunning) {
      await visit(nextVisitor());
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, PACE));
      state.stall = Math.max(state.stall, performance.now() - began - PACE);
    }
  }

  async function runLanes(): Promise<void> {
    await Promise.all(Array.from({ length: laneCount }, runLane));
  }

  return {
    came,
    problems,
    stall: () => state.stall,
    visit,
    async pause() {
      state.isRunning = false;
      await lanes;
    },
    resume() {
      state.isRunning = true;
      lanes = runLanes();
    },
    async visits(count) {
      const goal = state.answered + count;
      while (state.answered < goal && state.isRunning) {
        await new Promise((resolve) => setTimeout(resolve, PACE));
      }
    },
    async stop() {
      state.isRunning = false;
      await lanes;
      await (closing ??= crowd.close());
    },
  };
}

function newVisitor(): LoadVisitor {
  return { cookie: undefined, served: '', variant: undefined };
}
