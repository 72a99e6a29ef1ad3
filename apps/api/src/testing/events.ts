import type { Confirmation, Exposure, TestResult } from '@turnout/contracts/event';

/** 2026-11-24, 12:00 UTC. */
export const NOON = Date.UTC(2026, 10, 24, 12);

/** An id that is the same for the same number. */
export function idOf(number: number): string {
  return `01980000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** A visitor id that is the same for the same number. */
export function visitorOf(number: number): string {
  return `v${number.toString(36).padStart(21, '0')}`;
}

export function exposure(changes: Partial<Exposure> = {}): Exposure {
  return {
    kind: 'exposure',
    eventId: idOf(1),
    requestId: idOf(2),
    visitor: visitorOf(1),
    experiment: 'home',
    phase: 1,
    revision: 1,
    assigned: 'control',
    served: changes.assigned ?? 'control',
    bot: 'none',
    edge: 'edge-1',
    at: NOON,
    ...changes,
  };
}

export function confirmation(changes: Partial<Confirmation> = {}): Confirmation {
  return {
    kind: 'confirmation',
    eventId: idOf(3),
    visitor: visitorOf(1),
    experiment: 'home',
    phase: 1,
    at: NOON,
    ...changes,
  };
}

export function testResult(changes: Partial<TestResult> = {}): TestResult {
  return {
    kind: 'result',
    eventId: idOf(4),
    requestId: idOf(2),
    visitor: visitorOf(1),
    experiment: 'home',
    variant: 'control',
    phase: 1,
    revision: 1,
    didConvert: true,
    metric: 'signup',
    value: null,
    edge: 'edge-1',
    at: NOON,
    receivedAt: NOON,
    ...changes,
  };
}
