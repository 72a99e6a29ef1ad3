export { createEmbeddedEventLog } from './event-log.ts';
export type { EmbeddedEventLogOptions } from './event-log.ts';
export { createEmbeddedEventReader } from './event-reader.ts';
export type { EmbeddedEventReaderOptions } from './event-reader.ts';
