/**
 * Says what to do about a server that could not start.
 *
 * @param which the key of the port in the configuration
 * @param variable the environment variable that overrides it
 */
export function listenProblem(
  error: unknown,
  which: 'public' | 'private',
  port: number,
  variable: string,
): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const choose = `choose another port by ${variable} or ${which}.port`;
  if (code === 'EADDRINUSE') {
    return `The ${which} port ${port} is taken by another program. End that one, or ${choose}.`;
  }
  if (code === 'EACCES') {
    return `The ${which} port ${port} needs rights that this process lacks: ${choose}.`;
  }
  return error instanceof Error ? error.message : String(error);
}
