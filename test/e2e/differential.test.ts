import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzz, startSubject, type Subject } from '../conformance/fuzz.ts';

/*
 * A short run of `pnpm fuzz`, always the same: no mutation of a request is two requests to the
 * upstream, none of an answer two to the client.
 */

let subject: Subject;

beforeAll(async () => {
  subject = await startSubject();
});

afterAll(() => subject.close());

test('whatever comes in, all readers agree on what goes out', async () => {
  await fuzz(subject, { seed: 20_261_124, numRuns: 250 });
  expect(subject.edge.logged('a request could not be handled')).toEqual([]);
});
