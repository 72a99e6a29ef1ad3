/** Looks again and again. */
export interface Repetition {
  /** Begins no further look, and resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/**
 * Looks every so often: so long after the end of the look before.
 *
 * @param every milliseconds
 * @param onError told why a look failed; the next one comes all the same
 */
export function repeat(
  look: () => Promise<void>,
  every: number,
  onError: (error: unknown) => void,
): Repetition {
  let isStopped = false;
  let looking: Promise<void> = Promise.resolve();
  const lookOnce = async (): Promise<void> => {
    await look().catch(onError);
    if (!isStopped) timer = wait();
  };
  const wait = () =>
    setTimeout(() => {
      looking = lookOnce();
    }, every).unref();
  let timer = wait();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
