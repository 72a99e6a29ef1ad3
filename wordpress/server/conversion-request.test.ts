import { createNodeFsMountHandler, loadNodeRuntime } from '@php-wasm/node';
import { PHP } from '@php-wasm/universal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import table from '../../test/cases/conversions.json' with { type: 'json' };
import { sources } from './site-folder.ts';

// The plugin's PHP, by the case table that every language runs.
let php: PHP;
beforeAll(async () => {
  php = new PHP(await loadNodeRuntime('8.5'));
  await php.mount('/plugin', createNodeFsMountHandler(sources.plugin));
}, 60_000);
afterAll(() => {
  php.exit();
});

/** Runs code after the plugin's file; `$input` is the input, and what it echoes comes back as JSON. */
async function run(code: string, input: unknown): Promise<unknown> {
  php.writeFile('/input.json', JSON.stringify(input));
  const { text, errors } = await php.run({
    code: `<?php
      require '/plugin/includes/conversion-request.php';
      $input = json_decode( file_get_contents( '/input.json' ), true );
      echo json_encode( ${code} );`,
  });
  expect(errors).toBe('');
  return JSON.parse(text);
}

interface Sent {
  readonly body: string;
}

describe('conversion_request', () => {
  test.each(table.cases)('$name', async ({ edgeUrl, cookie, requestId, conversion, request }) => {
    const sent = await run(
      `Turnout\\conversion_request( $input['conversion'], $input['edgeUrl'], $input['cookie'], $input['requestId'], $input['eventId'], $input['at'] )`,
      {
        conversion,
        edgeUrl,
        cookie: cookie ?? '',
        requestId: requestId ?? '',
        eventId: table.eventId,
        at: table.at,
      },
    );
    expect(isSent(sent) ? { ...sent, body: JSON.parse(sent.body) } : sent).toEqual(request);
  });
});

test('a value that is no finite number costs the value, and not the conversion', async () => {
  const requests = await run(
    `array_map( fn( $value ) => Turnout\\conversion_request( array( 'metric' => 'signup', 'value' => $value ), 'http://127.0.0.1:8080', 'turnout=1.a', '', $input, 1 ), array( null, NAN, INF ) )`,
    table.eventId,
  );
  const without: unknown = expect.objectContaining({
    body: `{"events":[{"event_id":"${table.eventId}","metric":"signup","did_convert":true,"occurred_at":1}]}`,
  });
  expect(requests).toEqual([without, without, without]);
});

function isSent(value: unknown): value is Sent {
  return typeof value === 'object' && value !== null && 'body' in value;
}

test('event_id_of makes the same UUID of the same name', async () => {
  const ids = await run(
    `array_map( Turnout\\event_id_of( ... ), array( 'order 17', 'order 17', 'order 18' ) )`,
    null,
  );
  // The first digits that `sha256sum` gives, but for version (8) and variant (a).
  expect(ids).toEqual([
    '0bcc920e-3938-81b8-ae34-83fc9888c6d6',
    '0bcc920e-3938-81b8-ae34-83fc9888c6d6',
    '84cea6b3-b657-800b-a89a-e233eafc3f55',
  ]);
});
