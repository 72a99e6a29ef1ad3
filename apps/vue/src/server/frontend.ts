import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { render } from '../entry-server.ts';

/** Every file that the browser loads is under this path; the edge sends it here for any visitor. */
export const ASSET_PREFIX = '/_mfe/vue/';

/** The app's code, built or served from source. */
export interface Frontend {
  /** Answers a GET or HEAD of a file under ASSET_PREFIX; calls `missing` when there is none. */
  serveAsset(request: IncomingMessage, response: ServerResponse, missing: () => void): void;
  /** What a page is made with, newest code first. */
  page(): Promise<{ template: string; render: typeof render }>;
  /** Headers of every page. */
  readonly pageHeaders: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Makes a frontend for a server, which may carry a socket of the frontend's own. */
export type OpenFrontend = (server: Server) => Promise<Frontend>;
