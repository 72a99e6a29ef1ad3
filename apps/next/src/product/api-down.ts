/** Request header by which proxy.ts tells the page that the API did not answer. */
export const API_DOWN_HEADER = 'x-turnout-api-down';
