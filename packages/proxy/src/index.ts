export { refuseUpgrade } from './bare-answer.ts';
export { UpstreamConfigError, UpstreamError } from './errors.ts';
export type { UpstreamErrorCode } from './errors.ts';
export { sendErrorPage } from './error-page.ts';
export type { ErrorPage } from './error-page.ts';
export { expectsContinue, forward } from './forward.ts';
export type { Exchange, Outcome } from './forward.ts';
export { plainAddress } from './forwarded.ts';
export type { Client } from './forwarded.ts';
export { createFront } from './front.ts';
export type { BareRefusal } from './front.ts';
export { requestProblem } from './request-check.ts';
export type { Refusal } from './request-check.ts';
export { createClientOf } from './trusted-hops.ts';
export type { ClientOf } from './trusted-hops.ts';
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
