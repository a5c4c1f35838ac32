// The endpoints of the local stack itself.

export const CONTROL = '/_local';

/** Return the JSON response of one of the stack's own endpoints. */
export async function json(path, options) {
  const answer = await fetch(CONTROL + path, options);
  return answer.json();
}

/** Return `target` signed by the stack's key: `{ target, expires_s, is_private }`, or `{ detail }`. */
export const sign = target => json(`/sign?target=${encodeURIComponent(target)}`).catch(error => ({ detail: error.message }));
