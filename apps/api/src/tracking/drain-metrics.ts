import type { EventLog } from '@turnout/event-log';
import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { DrainReport } from './drain.ts';

/** Reports the drain to the log, and to who asks for metrics. */
export interface DrainMetrics {
  readonly registry: Registry;
  readonly report: DrainReport;
}

/** @param log asked for its lag whenever somebody asks for metrics */
export function createDrainMetrics(log: Pick<EventLog, 'lag'>, logger: Logger): DrainMetrics {
  const registry = new Registry();
  const registers = [registry];
  const drained = new Counter({
    name: 'turnout_drained_events_total',
    help: 'Events that this process has carried from the event log to SQL.',
    registers,
  });
  const unreadable = new Counter({
    name: 'turnout_unreadable_events_total',
    help: 'Events that were set aside, since they can not be stored.',
    registers,
  });
  const failures = new Counter({
    name: 'turnout_drain_failures_total',
    help: 'Tries that failed, as the event log or the database was out of reach.',
    registers,
  });
  const lag = new Gauge({
    name: 'turnout_event_log_lag',
    help: 'Events in the log that are not in SQL yet; none while the log can not say.',
    registers,
    async collect() {
      const events = await log.lag().catch(() => undefined);
      if (events === undefined) lag.remove();
      else lag.set(events);
    },
  });
  let isFailing = false;
  return {
    registry,
    report: {
      stored: (events) => drained.inc(events),
      setAside(events) {
        unreadable.inc(events.length);
        logger.error(
          { events: events.length, reason: events[0]?.reason },
          'Events can not be read. They are kept in the table unreadable_events, and not counted.',
        );
      },
      failed(error, delay) {
        failures.inc();
        if (isFailing) return;
        isFailing = true;
        logger.warn(
          { err: error, delay },
          'Events can not be carried to SQL: the event log holds them. Trying again.',
        );
      },
      recovered() {
        isFailing = false;
        logger.info('Events are carried to SQL again.');
      },
    },
  };
}
