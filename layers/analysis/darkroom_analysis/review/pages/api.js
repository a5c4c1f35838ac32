// Requests to the API of the review app.

const BASE = document.documentElement.dataset.api;

/** An error with a message for display. `status` is 0 without a response; `problem` is the body. */
export class RequestFailed extends Error {
  constructor(message, status = 0, problem = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

/** Return the URL of an API path with `query`. */
export function address(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return `${BASE}/${path}${text ? `?${text}` : ''}`;
}

/**
 * Return the JSON response of `url`. Throws RequestFailed: with the message `silence` without a response, else with that
 * of `explain(status, body)`, where `body` is null if it is not JSON.
 */
export async function fetchJson(url, options, silence, explain) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new RequestFailed(silence);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) {
    throw new RequestFailed(explain(response.status, body), response.status, body || {});
  }
  return body;
}

/** Return the JSON response of the API. Throws RequestFailed. */
export const request = (path, query = {}, options = {}) => fetchJson(
  address(path, query), options, 'The service does not respond. Try again in a moment.',
  (status, body) => body?.detail || `The response to ${path} was ${status}.`);

/** Send `document` by POST. `name` is the person's, where the page asks for it. */
export function send(path, document, name = '') {
  const headers = { 'Content-Type': 'application/json', ...(name ? { 'X-Reviewer': encodeURIComponent(name) } : {}) };
  return request(path, {}, { method: 'POST', headers, body: JSON.stringify(document) });
}
