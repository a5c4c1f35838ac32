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

/** Return the JSON response of the API. Throws RequestFailed. */
export async function request(path, query = {}, options = {}) {
  let answer;
  try {
    answer = await fetch(address(path, query), options);
  } catch {
    throw new RequestFailed('The service does not respond. Try again in a moment.');
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) {
    throw new RequestFailed(body?.detail || `The response to ${path} was ${answer.status}.`, answer.status, body || {});
  }
  return body;
}

/** Send `document` by POST. `name` is the person's, where the page asks for it. */
export function send(path, document, name = '') {
  const headers = { 'Content-Type': 'application/json', ...(name ? { 'X-Reviewer': encodeURIComponent(name) } : {}) };
  return request(path, {}, { method: 'POST', headers, body: JSON.stringify(document) });
}
