/** What the edge says of a visit; the API logs the id and stores the rest with a sign-up. */
const PASSED_ON = ['x-request-id', 'x-turnout-visitor', 'x-turnout-assignments'] as const;

/** The headers of a page's own request that go along with a call to the API. */
export function passedOn(request: Headers): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = request.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}
