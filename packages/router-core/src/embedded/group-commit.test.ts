import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

test('a write that is submitted on the news of the last commit is not left behind', async () => {
  const database = new DatabaseSync(':memory:');
  const writes = createGroupCommit(database);
  expect(await writes.submit(() => 1)).toBe(1);
  // At once, in the turn in which the group ends: nobody else wakes it.
  expect(await writes.submit(() => 2)).toBe(2);
  await writes.drained();
  database.close();
});
