// Times: UTC as the server wrote them, or local, by choice; beside them, by choice, how long ago. The title has it all.

import { keep, remembered } from "./local_storage.js";

const KEY = "subscope-zone";
const AGO_KEY = "subscope-ago";
const AGO_EVERY_MS = 10_000;
const CLOCKS_DIFFER_SECONDS = 60;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const UNITS = [
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

let zone = "utc";
let withAgo = false;

const two = (number) => String(number).padStart(2, "0");

function parts(date) {
  const utc = zone === "utc";
  const get = (name) => date[(utc ? "getUTC" : "get") + name]();
  return {
    day: `${get("Date")} ${MONTHS[get("Month")]}`,
    minutes: `${two(get("Hours"))}:${two(get("Minutes"))}`,
    seconds: `:${two(get("Seconds"))}.${String(get("Milliseconds")).padStart(3, "0")}`,
  };
}

function write(time) {
  const date = new Date(time.dateTime);
  if (Number.isNaN(date.getTime())) return;
  const { day, minutes, seconds } = parts(date);
  const clock = time.querySelector(".clock");
  const dayPart = time.querySelector(".day");
  if (dayPart) dayPart.textContent = day;
  if (clock) clock.textContent = "short" in time.dataset ? minutes : minutes + seconds;
  if (withAgo && !("short" in time.dataset)) time.dataset.ago = relative(date);
  else delete time.dataset.ago;
}

/** Hours and minutes of a date, in the chosen zone. */
export function minutesText(date) {
  return parts(date).minutes;
}

/** "2 minutes ago", "in 6 days". A time a little ahead was stamped by another clock. */
export function relative(date, now = Date.now()) {
  const seconds = Math.round((now - date.getTime()) / 1000);
  if (seconds < 1 && seconds > -CLOCKS_DIFFER_SECONDS) return "just now";
  const distance = Math.abs(seconds);
  const [size, name] = UNITS.find(([unit]) => distance >= unit);
  const count = Math.floor(distance / size);
  const words = `${count} ${name}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

/** Make a <time> as the server's templates do. */
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

/** Rewrite the times below `root`; nothing to do for plain UTC, which the server wrote. */
export function localize(root) {
  if (zone === "utc" && !withAgo) return;
  for (const time of root.querySelectorAll("time")) write(time);
}

function choose(wanted) {
  zone = wanted === "local" ? "local" : "utc";
  for (const time of document.querySelectorAll("time")) write(time);
  for (const button of document.querySelectorAll("[data-zone]")) {
    button.setAttribute("aria-pressed", String(button.dataset.zone === zone));
  }
  for (const name of document.querySelectorAll(".zone-name")) name.textContent = zone === "utc" ? "UTC" : "local";
}

/** Beside each time, how long ago it was: on or off. */
function chooseAgo(wanted) {
  withAgo = wanted;
  document.documentElement.classList.toggle("with-ago", withAgo);
  for (const time of document.querySelectorAll("time")) write(time);
  for (const button of document.querySelectorAll("[data-ago-choice]")) button.setAttribute("aria-pressed", String(withAgo));
}

function startAgo() {
  if (remembered(AGO_KEY) === "on") chooseAgo(true);
  for (const button of document.querySelectorAll("[data-ago-choice]")) {
    button.addEventListener("click", () => {
      keep(AGO_KEY, withAgo ? "off" : "on");
      chooseAgo(!withAgo);
    });
  }
  setInterval(() => withAgo && !document.hidden && chooseAgo(true), AGO_EVERY_MS);
}

/** Wire the switch and the titles. */
export function startTimes() {
  choose(remembered(KEY));
  startAgo();
  for (const button of document.querySelectorAll("[data-zone]")) {
    button.addEventListener("click", () => {
      keep(KEY, button.dataset.zone);
      choose(button.dataset.zone);
    });
  }
  document.addEventListener("pointerover", (event) => {
    const time = event.target instanceof Element && event.target.closest("time");
    if (!time) return;
    const date = new Date(time.dateTime);
    time.title = `${relative(date)}\n${date.toISOString().replace("T", " ").replace("Z", " UTC")}\n${date.toString()}`;
  });
}
