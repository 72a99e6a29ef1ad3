// What the supervisor tells, as lines on the screen.

import { seconds, styled, type Progress, type Screen } from '../progress.mjs';
import type { ServiceEvent } from './supervised-service.ts';

export function reportOn(progress: Progress, screen: Screen): (event: ServiceEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'starting':
        progress.begin(event.name);
        break;
      case 'ready':
        progress.done(event.name, event.ms, `${event.name.padEnd(10)} ${event.where}`);
        break;
      case 'crashed':
        progress.line(
          `${styled(screen, 'yellow', '!')} ${event.name} crashed (${event.how}); it is started again in ${seconds(event.restartInMs)}`,
        );
        break;
      case 'recovered':
        progress.line(
          `${styled(screen, 'green', '✓')} ${event.name} is back after ${seconds(event.ms)}`,
        );
        break;
      case 'killed':
        progress.line(
          `${styled(screen, 'yellow', '!')} ${event.name} did not stop within ${seconds(event.afterMs)} and was killed`,
        );
        break;
    }
  };
}
