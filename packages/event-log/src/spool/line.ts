import { crc32 } from 'node:zlib';

/**
 * A spooled event is a line: the CRC-32 of what follows in eight hexadecimal digits, a space,
 * the event as a JSON string (so that it holds no line break), and a line feed.
 */

const LINE_FEED = 10;
/** Of the digits and the space. */
const HEAD = 9;

export function encodeLines(events: readonly string[]): Buffer {
  return Buffer.from(
    events
      .map((event) => {
        const body = JSON.stringify(event);
        return `${checksum(body)} ${body}\n`;
      })
      .join(''),
  );
}

export interface DecodedLines {
  readonly events: readonly string[];
  /** Bytes of lines that are not as they were written. */
  readonly damagedBytes: number;
}

/** Reads lines, of which the last one may lack its line feed. */
export function decodeLines(bytes: Buffer): DecodedLines {
  const events: string[] = [];
  let damagedBytes = 0;
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    const event = decodeLine(bytes.subarray(start, end));
    if (event !== undefined) events.push(event);
    // An empty line is where somebody went on after a torn one.
    else if (end > start) damagedBytes += end - start;
    start = end + 1;
  }
  return { events, damagedBytes };
}

/** Bytes up to and with the last line feed; 0 without one. */
export function lengthOfWholeLines(bytes: Buffer): number {
  return bytes.lastIndexOf(LINE_FEED) + 1;
}

function decodeLine(line: Buffer): string | undefined {
  const body = line.subarray(HEAD);
  if (line.toString('latin1', 0, HEAD) !== `${checksum(body)} `) return undefined;
  try {
    const event: unknown = JSON.parse(body.toString());
    return typeof event === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}

function checksum(body: string | Buffer): string {
  return crc32(body).toString(16).padStart(8, '0');
}
