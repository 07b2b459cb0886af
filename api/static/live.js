// Keeps a page's numbers fresh, and takes each away when its time is over. The words come ready from the server.
"use strict";

const POLL_MS = 15000; // while no stream is open
const QUIET_MS = 30000; // a stream brings news every 10 s; so long without is as good as closed
const OFFLINE_MS = 60000; // then the reader is told
const PATIENCE_MS = 10000; // with one answer
const FIELDS = ["state", "headline", "rough", "big", "detail", "note", "trend", "arrow", "queue", "arrival"];

const body = document.body.dataset;
const yards = new Map(); // id -> what was last heard of it
const start = { date: Date.now(), tick: performance.now() };
let heardAt = elapsed(); // of the last news
let serverNow = Number(body.now); // the server's clock then: a phone's own may be wrong
let source = null;

// Milliseconds since the page was opened. A sleeping phone stops performance.now(), and Date.now() jumps when somebody sets it.
function elapsed() {
  return Math.max(performance.now() - start.tick, Date.now() - start.date);
}

function show(element, field, text) {
  for (const place of element.querySelectorAll(`[data-field="${field}"]`)) {
    if (place.textContent !== text) place.textContent = text;
  }
}

function note(element, validS, ageS, heard) {
  const now = elapsed();
  yards.set(element.dataset.yard, { element, made: now - ageS * 1000, until: now + validS * 1000, heard });
}

function take(view) {
  heardAt = elapsed();
  serverNow = view.now_ms;
  for (const yard of view.yards) {
    const element = document.querySelector(`[data-yard="${CSS.escape(yard.id)}"]`);
    if (!element) continue;
    for (const field of FIELDS) show(element, field, yard[field]);
    element.dataset.level = yard.level;
    element.dataset.number = yard.big !== "";
    element.dataset.best = yard.best;
    note(element, yard.valid_s, yard.age_s, yard.heard);
  }
  watch();
}

function expire(element, heard) {
  for (const field of FIELDS) show(element, field, "");
  show(element, "state", body.unknown);
  show(element, "headline", body.expired);
  show(element, "age", heard);
  element.dataset.level = "unknown";
  element.dataset.number = "false";
  element.dataset.best = "false";
}

// The watchdog: once a second, whatever the network does.
function watch() {
  const now = elapsed();
  for (const { element, made, until, heard } of yards.values()) {
    if (now >= until || now < made) { // earlier than it was made: somebody set the clock, and nothing can be told
      expire(element, heard);
      continue;
    }
    const seconds = Math.floor((now - made) / 10000) * 10;
    show(element, "age", seconds < 10 ? body.fresh : body.aged.replace("{n}", seconds));
  }
  const offline = document.getElementById("offline");
  if (offline) offline.hidden = now - heardAt < OFFLINE_MS;
  const clock = document.getElementById("clock");
  if (clock) clock.textContent = time(serverNow + now - heardAt);
}

function time(ms) {
  const form = { hour: "numeric", minute: "2-digit", hourCycle: "h23", timeZone: body.zone };
  return new Date(ms).toLocaleTimeString(document.documentElement.lang, form);
}

function listen() {
  if (!window.EventSource) return;
  source = new EventSource(body.live);
  source.addEventListener("view", (event) => take(JSON.parse(event.data)));
}

async function poll() {
  const signal = AbortSignal.timeout ? AbortSignal.timeout(PATIENCE_MS) : undefined; // phones of before 2022 have none
  try {
    const answer = await fetch(body.poll, { cache: "no-store", signal });
    if (answer.ok) take(await answer.json());
  } catch {
    // no network: the watchdog says so, and the next round tries again
  }
}

function pollIfQuiet() {
  const closed = !source || source.readyState === EventSource.CLOSED; // EventSource gives up when a server says no
  if (closed || elapsed() - heardAt >= QUIET_MS) poll();
  if (closed) listen();
}

for (const element of document.querySelectorAll("[data-yard]")) {
  note(element, Number(element.dataset.valid), Number(element.dataset.age), element.dataset.heard);
}
watch();
listen();
setInterval(watch, 1000);
setInterval(pollIfQuiet, POLL_MS);
// A page that slept in a pocket asks at once.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  watch();
  poll();
});
