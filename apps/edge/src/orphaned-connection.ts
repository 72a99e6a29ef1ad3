import type { Worker } from 'node:cluster';

/** What node:cluster sends with a connection, and what comes back once a worker has it. */
interface Handover {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

/** A connection that the primary still holds. */
interface Held {
  readonly seq: unknown;
  close(): void;
}

/**
 * Closes the connection that a worker was given and died without taking: node:cluster keeps it
 * open for an answer that never comes, and its client would wait for ever. There is one at most,
 * since a worker is given the next one only after it has taken the last.
 *
 * The other ways to share a port lose more: where workers accept by themselves (SCHED_NONE), one
 * of four got next to nothing of 64 lasting connections, and with a socket of its own each
 * (SO_REUSEPORT) those that fall to a worker that is busy wait for it.
 *
 * It looks at what node:cluster sends over the worker's channel, which no documentation promises;
 * without that nothing is closed, and a test says so.
 */
export function closeWhatItHeld(worker: Worker): void {
  let held: Held | undefined;
  const channel = worker.process;
  const send = channel.send.bind(channel);
  const watchedSend = (...args: Parameters<typeof send>): boolean => {
    const [message, handle] = args;
    const { cmd, act, seq } = asHandover(message);
    if (cmd === 'NODE_CLUSTER' && act === 'newconn' && isClosable(handle)) {
      held = { seq, close: () => handle.close() };
    }
    return send(...args);
  };
  Object.assign(channel, { send: watchedSend });
  channel.on('internalMessage', (message: unknown) => {
    if (held !== undefined && asHandover(message).ack === held.seq) held = undefined;
  });
  worker.once('exit', () => held?.close());
}

function asHandover(message: unknown): Handover {
  return typeof message === 'object' && message !== null ? message : {};
}

function isClosable(handle: unknown): handle is { close(): void } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'close' in handle &&
    typeof handle.close === 'function'
  );
}
