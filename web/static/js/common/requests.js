// Requests to our own server. A refused session says so once, in one place.

export class SignedOutError extends Error {}

/** GET an address with an Accept header. Throws SignedOutError on 401, Error with the server's sentence otherwise. */
export async function get(url, accept) {
  return checked(await fetch(url, { headers: { Accept: accept }, credentials: "same-origin" }));
}

/** POST without a body; the form token goes in a header. */
export async function post(url, token) {
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  return checked(await fetch(url, { method: "POST", headers, credentials: "same-origin" }));
}

async function checked(response) {
  if (response.status === 401) throw new SignedOutError("You are signed out.");
  if (response.ok) return response;
  let sentence = `The server answered ${response.status}.`;
  try {
    sentence = (await response.json()).error.detail;
  } catch {
    // Not our JSON: something between us and the server answered.
  }
  throw new Error(sentence);
}
