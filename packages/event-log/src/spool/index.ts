export { SpoolFull, createSpool } from './spool.ts';
export type { Spool, SpoolDamage, SpoolOptions } from './spool.ts';
export { createSpooledLog } from './spooled-log.ts';
export type { SpooledLog, SpooledLogOptions } from './spooled-log.ts';
