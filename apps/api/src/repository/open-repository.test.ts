import { expect, test } from 'vitest';
import { openRepository } from './open-repository.ts';

test('a server that never answers is asked again, ever slower, until the patience ends', async () => {
  let now = 0;
  const delays: number[] = [];
  const opening = openRepository(
    // Port 9 (discard) of the loopback: nothing listens there.
    { dataFolder: '', mysqlUrl: 'mysql://user:secret@127.0.0.1:9/turnout' },
    {
      limit: 10_000,
      clock: () => now,
      pause: async (delay) => {
        now += delay;
      },
      onRetry: (_error, delay) => delays.push(delay),
    },
  );
  await expect(opening).rejects.toThrow(
    /^The database server at 127\.0\.0\.1:9\/turnout does not answer \(.*ECONNREFUSED.*\)\. Start it, or correct TURNOUT_MYSQL_URL;.* Tried for 10 s\.$/,
  );
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_000, 3_000]);
});
