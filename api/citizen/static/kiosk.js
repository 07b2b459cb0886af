// Shows one yard on a monitor that nobody looks after: asks for it, and takes it away when its time is over, whatever the network does.
// It asks instead of being told: a question brings news or fails within seconds, while a stream may also hang, or be given up.
// Monitors have browsers that are years old: nothing here is younger than Chromium 79 of 2019.
"use strict";

const ASK_MS = 10000; // the server has a new number as often
const PATIENCE_MS = 8000; // with one answer
const LONGEST_MS = 60000; // that anything is shown after the question that brought it, whatever it says of itself
const RELOAD_MS = 600000; // between two reloads: while two versions of the server run, the page must not flicker
const NOTHING = "expired"; // the level of a yard of which nothing is known any more
const SMALLEST = 0.4; // of the size of the lesser texts, where a language or a notice has many words

const page = document.body.dataset;
const main = document.querySelector("main");
const age = document.querySelector(".age"), clock = document.querySelector(".clock");
const time = { hour: "numeric", minute: "2-digit", hourCycle: "h23", timeZone: page.zone };
const form = new Intl.DateTimeFormat(document.documentElement.lang, time);
let told = null; // what was last heard
let until = 0, made = 0, asked = 0; // by elapsed(): its end, its beginning, the question that brought it
let asking = null;

// Milliseconds since the page was opened, which never go back. performance.now() stands still while a machine sleeps, and Date.now()
// jumps when somebody sets it: of both the longer step counts, so at worst a number goes early, and the next answer brings it back.
let spent = 0, tick = performance.now(), date = Date.now();
function elapsed() {
  const now = performance.now(), today = Date.now();
  spent += Math.max(now - tick, today - date, 0);
  [tick, date] = [now, today];
  return spent;
}

function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function show(yard) {
  for (const place of main.querySelectorAll("[data-field]")) {
    if (place.dataset.field in yard) put(place, yard[place.dataset.field]);
  }
  main.dataset.level = yard.level;
  main.dataset.number = yard.big !== "";
  fit();
}

function empty() {
  const nothing = { level: NOTHING, headline: page.expired };
  for (const field of ["rough", "big", "detail", "note", "notice", "arrow", "trend", "queue", "arrival"]) nothing[field] = "";
  show(nothing);
  put(age, told.yard.heard);
}

// The number keeps its size; the other texts shrink together until all have room.
function fit() {
  for (let size = 1; size >= SMALLEST; size -= 0.02) {
    main.style.setProperty("--size", size);
    if (main.scrollHeight <= main.clientHeight && main.scrollWidth <= main.clientWidth) return;
  }
}

function take(news, since) {
  if (news.version !== page.version && elapsed() >= RELOAD_MS) location.reload(); // the server has just answered
  [told, asked] = [news, since];
  until = since + Math.min(news.yard.valid_s * 1000, LONGEST_MS);
  made = since - news.yard.age_s * 1000;
  if (elapsed() < until) show(news.yard);
  watch();
}

// Once a second, whatever the network does.
function watch() {
  const now = elapsed();
  if (told === null) return;
  if (now < until) {
    const seconds = Math.floor((now - made) / 10000) * 10;
    put(age, seconds < 10 ? told.fresh : told.aged.replace("{n}", seconds));
  } else if (main.dataset.level !== NOTHING) {
    empty();
  }
  put(clock, form.format(told.now_ms + now - asked));
}

function isOurs(news) {
  return news && news.yard && Number.isFinite(news.now_ms + news.yard.valid_s + news.yard.age_s);
}

async function ask() {
  if (asking !== null) return;
  asking = new AbortController();
  const timer = setTimeout(() => asking.abort(), PATIENCE_MS);
  const since = elapsed();
  let news = null;
  try {
    const answer = await fetch(page.ask, { cache: "no-store", signal: asking.signal });
    if (answer.ok) news = await answer.json();
  } catch {
    // no network, no server or no sense: the watchdog says so, and the next question is not far
  }
  clearTimeout(timer);
  asking = null;
  if (isOurs(news)) take(news, since);
}

ask();
setInterval(watch, 1000);
setInterval(ask, ASK_MS);
addEventListener("resize", fit);
// A monitor that wakes takes an old number away before it asks.
document.addEventListener("visibilitychange", () => {
  watch();
  ask();
});
