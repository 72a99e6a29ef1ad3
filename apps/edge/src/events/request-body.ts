import type { IncomingMessage } from 'node:http';

/** Why there is no body: too many bytes, too slow, or the client is gone. */
export type BodyFailure = 'too-large' | 'too-slow' | 'gone';

/**
 * Reads a request's body.
 *
 * @param max bytes
 * @param patience milliseconds until its end
 */
export function readBody(
  request: IncomingMessage,
  max: number,
  patience: number,
): Promise<Buffer | BodyFailure> {
  if (Number(request.headers['content-length'] ?? 0) > max) return Promise.resolve('too-large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (outcome: Buffer | BodyFailure): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', complete).off('close', lose);
      resolve(outcome);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > max) finish('too-large');
      else chunks.push(chunk);
    };
    const complete = (): void => finish(Buffer.concat(chunks, size));
    const lose = (): void => finish('gone');
    const timer = setTimeout(finish, patience, 'too-slow');
    request.on('data', take).on('end', complete).on('close', lose);
    // What 'close' says is enough; without a listener an error would end the process.
    request.on('error', () => {});
  });
}
