/**
 * What makes an answer one that no client should see, beyond what undici's parser refuses by
 * itself: it reads a body in any other coding up to the end of the connection, where the next
 * reader might find an end before (RFC 9112 section 6.3).
 *
 * @param raw flat name/value pairs
 */
export function answerProblem(
  status: number,
  raw: readonly (string | Buffer)[],
): string | undefined {
  if (status < 100 || status > 599) return `status ${status}`;
  let codings = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.length !== 17 || text(raw[i]) !== 'transfer-encoding') continue;
    codings += 1;
    const coding = text(raw[i + 1]);
    if (codings > 1 || coding !== 'chunked') {
      return `expected Transfer-Encoding: chunked, got ${codings > 1 ? 'several' : coding}`;
    }
  }
  // RFC 9112 section 6.1: these have no body, so whatever follows would be the next answer.
  if (codings > 0 && (status < 200 || status === 204)) {
    return `Transfer-Encoding with status ${status}`;
  }
  return undefined;
}

function text(value: string | Buffer | undefined): string {
  return value?.toString('latin1').toLowerCase() ?? '';
}
