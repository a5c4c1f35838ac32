// The endpoints of the local stack itself.

export const CONTROL = '/_local';

/** Return the JSON response of one of the stack's own endpoints. */
export async function json(path, options) {
  const answer = await fetch(CONTROL + path, options);
  return answer.json();
}
