/**
 * The address of a page at the root, wherever the app is mounted; React puts it into the head.
 * (Next's own metadata would make it absolute, by an address that the app does not know.)
 */
export function Canonical({ path }: { path: `/${string}` }) {
  return <link rel="canonical" href={path} />;
}
