// Short forms to make elements: texts of publishers are set as text only.

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} content
 */
export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/**
 * @param {string} className
 * @param {string} href
 * @param {...(string | Node)} content
 */
export function link(className, href, ...content) {
  const made = document.createElement("a");
  made.className = className;
  made.href = href;
  made.append(...content);
  return made;
}
