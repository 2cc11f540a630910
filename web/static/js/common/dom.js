// Find elements with their type, so that the type checker knows their properties.

/**
 * @template {Element} T
 * @typedef {{ new (): T }} ElementType
 */

/**
 * Return the first match, or throw: the template must have it.
 * @template {Element} T
 * @param {string} selector
 * @param {ElementType<T>} type
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function query(selector, type, root = document) {
  const element = find(selector, type, root);
  if (!element) throw new Error(`The page has no ${type.name} "${selector}".`);
  return element;
}

/**
 * Return the first match, or null.
 * @template {Element} T
 * @param {string} selector
 * @param {ElementType<T>} type
 * @param {ParentNode} [root]
 * @returns {T | null}
 */
export function find(selector, type, root = document) {
  const element = root.querySelector(selector);
  return element instanceof type ? element : null;
}

/**
 * Return all matches.
 * @template {Element} T
 * @param {string} selector
 * @param {ElementType<T>} type
 * @param {ParentNode} [root]
 * @returns {T[]}
 */
export function findAll(selector, type, root = document) {
  return [...root.querySelectorAll(selector)].flatMap((element) => (element instanceof type ? [element] : []));
}

/**
 * Return the element of an event, or its nearest ancestor, that matches; null if there is none.
 * @template {Element} T
 * @param {Event} event
 * @param {string} selector
 * @param {ElementType<T>} type
 * @returns {T | null}
 */
export function closest(event, selector, type) {
  const element = event.target instanceof Element ? event.target.closest(selector) : null;
  return element instanceof type ? element : null;
}

/**
 * Whether a click asks for another tab or window, so that the browser must handle it.
 * @param {MouseEvent} event
 */
export function opensElsewhere(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}

/**
 * Parse markup that the server rendered and escaped.
 * @param {string} html
 */
export function parseHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
