import type { GateReading, RampState } from '@turnout/contracts/ramp';
import { minute, percentOfSlots } from './numbers.ts';
import { stepWords } from './ramp-steps.ts';
import type { Style, Terminal } from './terminal.ts';

const STATUS: Readonly<Record<RampState['status'], string>> = {
  stepping: 'goes on',
  holding: 'holds',
  done: 'is done',
  'rolled-back': 'was rolled back',
  stopped: 'was stopped',
};

const VERDICT: Readonly<Record<GateReading['verdict'], [sign: string, style: Style]>> = {
  pass: ['✓', 'green'],
  fail: ['✗', 'red'],
  'too-few': ['?', 'yellow'],
};

/** Whether it still acts. */
export function isUnderWay({ status }: RampState): boolean {
  return status === 'stepping' || status === 'holding';
}

/** What it means to end a ramp now. */
export function showStop({ experiment, steps, step }: RampState): string {
  const here = steps[step];
  return [
    `The ramp of ${experiment} would end at step ${step + 1} of ${steps.length}.`,
    `  The coverage would stay at ${here === undefined ? 'what it is' : percentOfSlots(here.coverage)}.`,
    '  No later step would come, and no gate would roll it back.',
  ].join('\n');
}

/** How far a ramp is, and what its gates say. */
export function showRamp(state: RampState, { style }: Pick<Terminal, 'style'>): string {
  const { experiment, status, steps, step, before, stepSince, nextAt, readings, reason } = state;
  return [
    style('bold', `The ramp of ${experiment} ${STATUS[status]}`),
    ...(reason === undefined ? [] : [`  ${reason}`]),
    ...steps.map((each, index) => {
      const isHere = index === step;
      const since = isHere ? `, since ${minute(stepSince)}` : '';
      const next = isHere && nextAt !== undefined ? `, next at ${minute(nextAt)}` : '';
      return `  ${isHere ? '→' : ' '} ${stepWords(each)}${since}${next}`;
    }),
    ...(isUnderWay(state) ? [`    back to ${percentOfSlots(before)} if a gate fails`] : []),
    ...readings.map(({ gate, variant, verdict, detail }) => {
      const [sign, colour] = VERDICT[verdict];
      return `  ${style(colour, sign)} ${[gate, variant].filter(Boolean).join(' ')}: ${detail}`;
    }),
  ].join('\n');
}
