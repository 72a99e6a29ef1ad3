export { refuseUpgrade } from './bare-answer.ts';
export { UpstreamConfigError, UpstreamError } from './errors.ts';
export type { UpstreamErrorCode } from './errors.ts';
export { sendErrorPage } from './error-page.ts';
export type { ErrorPage } from './error-page.ts';
export { forward } from './forward.ts';
export type { Exchange, Outcome } from './forward.ts';
export type { Client } from './forwarded.ts';
export { requestHeaders } from './request-headers.ts';
export type { RequestHeaderOptions } from './request-headers.ts';
export { originForm } from './request-target.ts';
export { responseHeaders } from './response-headers.ts';
export type { ResponseHeaderOptions } from './response-headers.ts';
export { createUpstream } from './upstream.ts';
export type {
  Upstream,
  UpstreamOptions,
  UpstreamStats,
  UpstreamTimeouts,
  UpstreamTls,
} from './upstream.ts';
export { createUpgrader } from './upgrade.ts';
export type { UpgradeExchange, Upgrader, UpgraderOptions } from './upgrade.ts';
export { asksForWebSocket } from './websocket-handshake.ts';
