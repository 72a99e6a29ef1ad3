import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { reportSchema, type Report } from '@turnout/contracts/event';

/** Takes reports as the edge does, for tests. */
export interface ReportTaker {
  readonly url: string;
  /** What the next reports are answered with. */
  status: number;
  /** What came since the last call. */
  take(): ReceivedReport[];
  close(): void;
}

interface ReceivedReport {
  readonly cookie: string | undefined;
  readonly origin: string | undefined;
  readonly body: Report;
}

export async function startReportTaker(): Promise<ReportTaker> {
  const received: ReceivedReport[] = [];
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { cookie, origin } = request.headers;
    const { data, error } = reportSchema.safeParse(JSON.parse(await text(request)));
    const isReport = request.method === 'POST' && request.url === '/_turnout/v1/events';
    if (!isReport || data === undefined) {
      response.writeHead(400).end(error?.message);
      return;
    }
    received.push({ cookie, origin, body: data });
    response.writeHead(taker.status).end('{}');
  };
  const server = http.createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address.');
  const taker: ReportTaker = {
    url: `http://127.0.0.1:${address.port}`,
    status: 202,
    take: () => received.splice(0),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return taker;
}
