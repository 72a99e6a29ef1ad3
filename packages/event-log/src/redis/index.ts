export { createRedisEventLog } from './event-log.ts';
export type { RedisEventLogOptions } from './event-log.ts';
export { createRedisEventReader } from './event-reader.ts';
export type { RedisEventReaderOptions } from './event-reader.ts';
