import { connect } from './connect.ts';
import { NoAnswer, createPendingCalls } from './pending-calls.ts';

/** Milliseconds that a server may leave a SUBSCRIBE without a word. */
const PATIENCE = 3_000;
/** Milliseconds between two. */
const BEAT = 1_000;

/**
 * Listens to a channel, over a connection of its own that is made again whenever it is lost.
 * What is published meanwhile is not heard.
 *
 * SUBSCRIBE is said over and over. To a server that knows it already it means nothing, so it
 * is a heartbeat too: nothing else would tell a quiet channel from a server that is gone.
 */
export function subscribe(
  url: string,
  channel: string,
  listener: (message: string) => void,
  onError: (error: Error) => void,
): { close(): void } {
  // The client's own way to subscribe again ends the process when it fails.
  const client = connect(url, { patience: PATIENCE, autoResubscribe: false });
  const calls = createPendingCalls(PATIENCE);
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function beat(): Promise<void> {
    clearTimeout(timer);
    try {
      await calls.settle(client.subscribe(channel));
    } catch (error) {
      if (error instanceof NoAnswer && !isClosed) client.disconnect(true);
    }
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void beat(), BEAT);
  }

  client.on('error', onError);
  client.on('message', (_channel: string, message: string) => listener(message));
  client.on('ready', () => void beat());
  void beat();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      client.disconnect();
    },
  };
}
