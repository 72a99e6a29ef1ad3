/** Milliseconds that requests under way get to finish, once the server is told to stop. */
const GRACE_MS = 3_000;

/**
 * Bounds the time that stopping takes. Next stops accepting, then waits for
 * every connection to end by itself, which a proxy's keep-alive connections may
 * not do for a long time.
 */
export function boundStopping(): void {
  // 128 + the signal's number, as Next itself exits.
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(status), GRACE_MS).unref();
    });
  }
}
