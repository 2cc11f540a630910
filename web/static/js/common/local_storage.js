// The choices that this browser remembers.

/**
 * @param {string} key
 * @param {string} value
 */
export function saveChoice(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A private window may deny storage: the choice then lasts until the page is closed.
  }
}

/**
 * Return the saved value, or null.
 * @param {string} key
 */
export function savedChoice(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
