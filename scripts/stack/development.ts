// In development the logs are on the screen, and the edge and the API restart when their
// code changes. The frontends watch their own; WordPress reads its theme and plugin at
// every request.

import { seconds, styled, type Progress, type Screen } from '../progress.mjs';
import { watchSources } from './source-watch.ts';
import { ServiceFailed } from './supervised-service.ts';
import type { Supervisor } from './supervisor.ts';

export { followLogs } from './screen-logs.ts';

/** Which of the two runs code from where, relative to the repository. */
const sources: Readonly<Record<string, readonly string[]>> = {
  api: ['apps/api/src', 'packages/contracts/src', 'packages/router-core/src', 'turnout.yaml'],
  edge: [
    'apps/edge/src',
    'packages/cli/src',
    'packages/contracts/src',
    'packages/proxy/src',
    'packages/router-core/src',
    'turnout.yaml',
  ],
};

export function followChanges(
  root: string,
  supervisor: Supervisor,
  progress: Progress,
  screen: Screen,
): { close: () => void } {
  return watchSources(root, Object.values(sources).flat(), async (changed) => {
    const names = Object.keys(sources).filter((name) =>
      sources[name]?.some((source) => changed.some((file) => isWithin(file, source))),
    );
    await Promise.all(names.map((name) => restart(name, changed)));
  });

  async function restart(name: string, changed: readonly string[]): Promise<void> {
    const what = changed.length === 1 ? String(changed[0]) : `${changed.length} files`;
    const began = performance.now();
    try {
      await supervisor.restart(name);
      const took = seconds(performance.now() - began);
      progress.line(
        `${styled(screen, 'green', '↻')} ${what} changed: ${name} restarted in ${took}`,
      );
    } catch (error) {
      if (!(error instanceof ServiceFailed)) throw error;
      // Its last lines are on the screen already, among the logs.
      progress.line(
        `${styled(screen, 'red', '✗')} ${what} changed: ${error.message}. Waiting for the next change.`,
      );
    }
  }
}

function isWithin(file: string, source: string): boolean {
  return file === source || file.startsWith(`${source}/`);
}
