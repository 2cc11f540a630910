// Times in the page: UTC as the server wrote them, or local time; optionally with how long ago. The title has all three.

import { relativeTime, timeTexts } from "../core/time_text.js";
import { withOffsets } from "../core/zoned_times.js";
import { closest, find, findAll } from "./dom.js";
import { saveChoice, savedChoice } from "./local_storage.js";

const ZONE_KEY = "subscope-zone";
const AGO_KEY = "subscope-ago";
const AGO_EVERY_MS = 10_000;

/** @type {import("../core/time_text.js").Zone} */
let zone = "utc";
let hasAgo = false;

/** @param {HTMLTimeElement} time */
function write(time) {
  const date = new Date(time.dateTime);
  if (Number.isNaN(date.getTime())) return;
  const isShort = "short" in time.dataset;
  const { day, minutes, seconds } = timeTexts(date, zone);
  const clock = find(".clock", HTMLElement, time);
  const dayPart = find(".day", HTMLElement, time);
  if (dayPart) dayPart.textContent = day;
  if (clock) clock.textContent = isShort ? minutes : minutes + seconds;
  if (hasAgo && !isShort) time.dataset.ago = relativeTime(date);
  else delete time.dataset.ago;
}

/** @param {ParentNode} root */
function writeAll(root) {
  for (const time of findAll("time", HTMLTimeElement, root)) write(time);
}

/**
 * Return hours and minutes in the chosen zone.
 * @param {Date} date
 */
export function minutesText(date) {
  return timeTexts(date, zone).minutes;
}

/**
 * Make a <time> as the server's templates do.
 * @param {string} iso
 */
export function timeElement(iso, { short = false } = {}) {
  const time = document.createElement("time");
  time.dateTime = iso;
  if (short) time.dataset.short = "";
  for (const name of ["day", "clock"]) {
    const part = document.createElement("span");
    part.className = name;
    time.append(part, name === "day" ? " " : "");
  }
  write(time);
  return time;
}

/**
 * Rewrite the times below `root`. Plain UTC needs nothing: the server wrote it.
 * @param {ParentNode} root
 */
export function localizeTimes(root) {
  if (zone !== "utc" || hasAgo) writeAll(root);
}

/** @param {string | null | undefined} wanted */
function showZone(wanted) {
  zone = wanted === "local" ? "local" : "utc";
  writeAll(document);
  for (const button of findAll("[data-zone]", HTMLElement)) {
    button.setAttribute("aria-pressed", String(button.dataset.zone === zone));
  }
  for (const name of findAll(".zone-name", HTMLElement)) name.textContent = zone === "utc" ? "UTC" : "local";
}

/** @param {boolean} wanted */
function showAgo(wanted) {
  hasAgo = wanted;
  document.documentElement.classList.toggle("with-ago", hasAgo);
  writeAll(document);
  for (const button of findAll("[data-ago-choice]", HTMLElement)) button.setAttribute("aria-pressed", String(hasAgo));
}

function startAgo() {
  if (savedChoice(AGO_KEY) === "on") showAgo(true);
  for (const button of findAll("[data-ago-choice]", HTMLElement)) {
    button.addEventListener("click", () => {
      saveChoice(AGO_KEY, hasAgo ? "off" : "on");
      showAgo(!hasAgo);
    });
  }
  setInterval(() => hasAgo && !document.hidden && showAgo(true), AGO_EVERY_MS);
}

function startZone() {
  showZone(savedChoice(ZONE_KEY));
  for (const button of findAll("[data-zone]", HTMLElement)) {
    button.addEventListener("click", () => {
      saveChoice(ZONE_KEY, button.dataset.zone ?? "utc");
      showZone(button.dataset.zone);
    });
  }
}

/** Write the chosen zone into filters that are typed: an address without a zone means UTC for all readers. */
function startZonedFilters() {
  document.addEventListener("submit", (event) => {
    if (zone === "utc" || !(event.target instanceof HTMLFormElement)) return;
    for (const box of findAll("input[name=q]:not([type=hidden])", HTMLInputElement, event.target)) {
      box.value = withOffsets(box.value, box.defaultValue);
    }
  });
}

/** Start the switches of zone and "ago", the titles, and the zone of typed filters. */
export function startTimes() {
  startZone();
  startAgo();
  startZonedFilters();
  document.addEventListener("pointerover", (event) => {
    const time = closest(event, "time", HTMLTimeElement);
    if (!time) return;
    const date = new Date(time.dateTime);
    const utc = date.toISOString().replace("T", " ").replace("Z", " UTC");
    time.title = `${relativeTime(date)}\n${utc}\n${date.toString()}`;
  });
}
