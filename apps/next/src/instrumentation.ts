/** Run by Next once, when a server starts. It is compiled for the edge runtime too, which has no signals. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { boundStopping } = await import('./stopping.ts');
  boundStopping();
}
