/** The tern, our mark, in the colour of the text around it. */
export function Logo() {
  return (
    <svg viewBox="0 0 64 64" width="36" height="36" aria-hidden="true" fill="currentColor">
      <path d="M35 26C34 15 27 7 7 3c9 9 14 17 14 29z" />
      <path d="M34 29c7 11 4 21-14 33 6-11 7-19 3-29z" />
      <path d="M62 19 47 20c-6-2-12-1-20 5-7 4-13 5-25 5 5 1 9 2 11 4-3 2-6 5-8 9 12-3 21-5 29-8 8-2 13-5 16-10z" />
    </svg>
  );
}
