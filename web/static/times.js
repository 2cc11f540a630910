// Times: UTC as the server wrote them, or local, by choice; absolute and relative in the title.

const KEY = "subscope-zone";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const UNITS = [
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

let zone = "utc";

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
}

/** Hours and minutes of a date, in the chosen zone. */
export function minutesText(date) {
  return parts(date).minutes;
}

/** "2 minutes ago". */
export function relative(date, now = Date.now()) {
  const seconds = Math.round((now - date.getTime()) / 1000);
  if (seconds < 1) return "just now";
  const [size, name] = UNITS.find(([unit]) => seconds >= unit);
  const count = Math.floor(seconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"} ago`;
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

/** Rewrite the times below `root`; nothing to do in UTC, which the server wrote. */
export function localize(root) {
  if (zone === "utc") return;
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

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Wire the switch and the titles. */
export function startTimes() {
  choose(remembered());
  for (const button of document.querySelectorAll("[data-zone]")) {
    button.addEventListener("click", () => {
      try {
        localStorage.setItem(KEY, button.dataset.zone);
      } catch {
        // The choice then lasts as long as the page.
      }
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
