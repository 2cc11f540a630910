// The words of the statistics of a search, as the server writes them (web/filters/explanation.py). No DOM.

/**
 * @param {{ lookedAt: number, matched: number, seconds: number }} statistics
 */
export function statisticsText({ lookedAt, matched, seconds }) {
  const count = (/** @type {number} */ value) => value.toLocaleString("en");
  const rate = seconds > 0 ? `, ${count(Math.round(lookedAt / seconds))} each second` : "";
  const looked = `${count(lookedAt)} ${lookedAt === 1 ? "message was" : "messages were"} looked at`;
  return `${looked} in ${seconds.toFixed(2)} s${rate}; ${count(matched)} matched.`;
}
