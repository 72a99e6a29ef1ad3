/** Where contenders answer what the origin got of the request, as JSON; see `Echo`. */
export const ECHO_PATH = '/plans/echo';

/** What the origin says of a request that reached it at `ECHO_PATH`. */
export interface Echo {
  /** By lower-case name; duplicates joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
}

const PAGE_BYTES = 10 * 1024;

const opening =
  '<!doctype html>\n<html lang="en">\n<head><title>Plans</title></head>\n<body>\n<h1>Plans</h1>\n';
const paragraph = '<p>Goes where you go: one price, every country, no small print.</p>\n';
const closing = '</body>\n</html>\n';

/** The page that everyone serves: 10 KB of ASCII, so that characters are bytes. */
export const PAGE =
  (opening + paragraph.repeat(PAGE_BYTES / paragraph.length)).slice(
    0,
    PAGE_BYTES - closing.length,
  ) + closing;
