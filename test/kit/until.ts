/** Milliseconds that a loaded machine may take for anything that is waited for. */
const PATIENCE = 30_000;
const PAUSE = 50;

/**
 * Waits until a probe says what it is wanted to say. For what runs beside other tests, where
 * `expect.poll` can't tell which of them it belongs to.
 *
 * @throws {Error} with what the probe said last, when it takes too long
 */
export async function until<Value>(
  what: string,
  probe: () => Value | Promise<Value>,
  isWanted: (value: Value) => boolean,
): Promise<void> {
  const patience = performance.now() + PATIENCE;
  for (;;) {
    const value = await probe();
    if (isWanted(value)) return;
    if (performance.now() > patience) {
      throw new Error(
        `Expected ${what} within ${PATIENCE / 1_000} s, got ${String(value)} at last`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
