import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { readAnswers, valuesOf, type Message } from '../kit/http-messages.ts';
import { RawClient } from '../kit/raw-client.ts';
import { OK_ANSWER, type RawUpstream } from '../kit/raw-upstream.ts';
import type { AnswerExpectation, Case, MessageExpectation } from './case.ts';

/** How long anything may take to come, in ms: a bound, not a measure. */
const PATIENCE = 10_000;
const FOLLOW_UP = 'GET /follow-up HTTP/1.1\r\nHost: a.test\r\n\r\n';

/**
 * Plays one case against the public port.
 *
 * @param host stands for `a.test`, and leads to the upstream
 */
export async function runCase(
  port: number,
  host: string,
  upstream: RawUpstream,
  given: Case,
): Promise<void> {
  const { answer = OK_ANSWER, early, closing } = given;
  upstream.script = { answer, early, closing };
  const client = new RawClient(port);
  try {
    await play(client, host, upstream, given);
  } finally {
    client.destroy();
    upstream.close();
  }
}

async function play(
  client: RawClient,
  host: string,
  upstream: RawUpstream,
  given: Case,
): Promise<void> {
  const named = (text: string): string =>
    text.replaceAll('a.test', host).replaceAll('A.TEST', host.toUpperCase());
  const sent = [given.send].flat().map(named);
  const parts = given.bytewise === true ? sent.join('').split('') : sent;
  // A head may be the only one whose body is not sent.
  const methods = sent[0]?.startsWith('HEAD ') === true ? ['HEAD'] : [];
  const answers = (): readonly Message[] =>
    readAnswers(client.bytes, methods, client.ended).messages;

  for (const [index, part] of parts.entries()) {
    const before = client.bytes.length;
    client.send(part);
    if (index === parts.length - 1) break;
    if (given.bytewise === true) await delay(1);
    else await client.until(() => client.bytes.length > before, 100);
  }
  if (given.client.length === 0) {
    await delay(50);
    client.destroy();
  } else {
    await client.until(() => client.ended || answers().length >= given.client.length, PATIENCE);
  }
  const kept = given.connection === 'kept';
  if (kept) {
    await client.until(() => answers().at(-1)?.complete === true, PATIENCE);
    upstream.script = { answer: OK_ANSWER };
    client.send(named(FOLLOW_UP));
    await client.until(() => client.ended || answers().length > given.client.length, PATIENCE);
  }
  if (given.connection === 'closed') {
    const closed = await client.until(() => client.ended, PATIENCE);
    expect({ closed }).toEqual({ closed: true });
  } else if (given.client.length > 0) {
    client.finish();
    await client.until(() => client.ended, 500);
  }

  const { messages, problem } = readAnswers(client.bytes, methods, client.ended);
  expect({ problem, bytes: client.bytes }).toEqual({ problem: undefined, bytes: client.bytes });
  const expected = kept ? [...given.client, { status: 200 }] : given.client;
  expect(messages.map(statusOf)).toHaveLength(expected.length);
  for (const [index, wanted] of expected.entries()) {
    const message = messages[index];
    if (message !== undefined) expectAnswer(message, wanted, named);
  }
  await expectUpstream(upstream, given, kept, named);
}

async function expectUpstream(
  upstream: RawUpstream,
  given: Case,
  kept: boolean,
  named: (text: string) => string,
): Promise<void> {
  if (given.upstream === 'nothing') {
    expect(upstream.bytes).toEqual(kept ? expect.stringMatching(/^GET \/follow-up /) : '');
    return;
  }
  const readings = upstream.readings();
  if (given.upstream === 'incomplete') {
    for (let waited = 0; !upstream.allClosed && waited < PATIENCE; waited += 10) await delay(10);
    expect({ closed: upstream.allClosed }).toEqual({ closed: true });
    expect(readings.flatMap(({ messages }) => messages).filter(({ complete }) => complete)).toEqual(
      [],
    );
    return;
  }
  for (const { problem } of readings) expect(problem).toBeUndefined();
  // On several connections requests come in any order.
  const messages = readings
    .flatMap((reading) => reading.messages)
    .filter(({ start }) => !start.includes('/follow-up'));
  expect(messages.map(({ start }) => start)).toHaveLength(given.upstream.length);
  const found = messages.toSorted((a, b) => indexIn(given, a, named) - indexIn(given, b, named));
  for (const [index, wanted] of given.upstream.entries()) {
    const message = found[index];
    if (message === undefined) continue;
    expect({ complete: message.complete }).toEqual({ complete: true });
    expectMessage(message, wanted, named);
  }
}

function indexIn(given: Case, message: Message, named: (text: string) => string): number {
  if (typeof given.upstream === 'string') return 0;
  return given.upstream.findIndex(
    ({ start }) => typeof start === 'string' && named(start) === message.start,
  );
}

function expectAnswer(
  message: Message,
  wanted: AnswerExpectation,
  named: (text: string) => string,
): void {
  expect([wanted.status].flat()).toContain(statusOf(message));
  expect({ complete: message.complete }).toEqual({ complete: wanted.truncated !== true });
  expectMessage(message, wanted, named);
}

function expectMessage(
  message: Message,
  wanted: MessageExpectation,
  named: (text: string) => string,
): void {
  const { start, has = {}, hasNot = [], body, trailers } = wanted;
  const like = (text: string | RegExp) =>
    typeof text === 'string' ? named(text) : expect.stringMatching(text);
  if (start !== undefined) expect(message.start).toEqual(like(start));
  for (const [name, value] of Object.entries(has)) {
    expect({ [name]: valuesOf(message.fields, name) }).toEqual({ [name]: [like(value)] });
  }
  for (const name of hasNot) {
    expect({ [name]: valuesOf(message.fields, name) }).toEqual({ [name]: [] });
  }
  if (body !== undefined) expect(message.body).toEqual(like(body));
  if (trailers !== undefined) {
    const found = message.trailers.map(([name, value]) => [name.toLowerCase(), value]);
    expect(Object.fromEntries(found)).toEqual(trailers);
  }
}

function statusOf({ start }: Message): number {
  return Number(start.slice(9, 12));
}
