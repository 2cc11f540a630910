// Requests to the server. Errors carry a sentence that can be shown.

export class SignedOutError extends Error {}

/**
 * Send a GET. Throws SignedOutError on 401, otherwise Error with the server's sentence; a signal that aborts throws its
 * reason.
 * @param {string | URL} url
 * @param {string} accept
 * @param {AbortSignal} [signal]
 */
export async function get(url, accept, signal) {
  return checked(await fetch(url, { headers: { Accept: accept }, credentials: "same-origin", signal }));
}

/**
 * Send a GET and return its JSON.
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 */
export async function getJson(url, signal) {
  return (await get(url, "application/json", signal)).json();
}

/**
 * Send a GET and return its HTML.
 * @param {string | URL} url
 */
export async function getHtml(url) {
  return (await get(url, "text/html")).text();
}

/**
 * Send a POST without a body; the form token is a header. Throws as `get` does.
 * @param {string} url
 * @param {string} token
 */
export async function post(url, token) {
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  return checked(await fetch(url, { method: "POST", headers, credentials: "same-origin" }));
}

/** @param {Response} response */
async function checked(response) {
  if (response.status === 401) throw new SignedOutError("You are signed out.");
  if (response.ok) return response;
  let sentence = `The server answered ${response.status}.`;
  try {
    sentence = (await response.json()).error.detail;
  } catch {
    // Not our JSON: a proxy answered.
  }
  throw new Error(sentence);
}

/**
 * Return the sentence of an error.
 * @param {unknown} error
 */
export function sentenceOf(error) {
  return error instanceof Error ? error.message : String(error);
}
