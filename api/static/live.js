// Keeps a page's numbers fresh, and takes each away when its time is over. The words come ready from the server.
"use strict";

const POLL_MS = 15000; // while no stream is open
const QUIET_MS = 30000; // a stream brings news every 10 s and a ping every 15 s; so long without news it is as good as closed
const body = document.body.dataset;
const yards = new Map(); // id -> what was last heard of it, by this page's own clock
let heardAt = -Infinity; // performance.now() of the last news
let serverNow = Number(body.now); // the server's clock then; a phone's own may be wrong
let source = null;

function show(element, field, text) {
  for (const place of element.querySelectorAll(`[data-field="${field}"]`)) {
    if (place.textContent !== text) place.textContent = text;
  }
}

function take(view) {
  heardAt = performance.now();
  serverNow = view.now_ms;
  for (const yard of view.yards) {
    const element = document.querySelector(`[data-yard="${CSS.escape(yard.id)}"]`);
    if (!element) continue;
    for (const field of ["state", "headline", "big", "detail", "trend", "arrow", "arrival"]) show(element, field, yard[field]);
    element.dataset.level = yard.level;
    element.dataset.best = yard.best;
    note(yard.id, element, yard.valid_s, yard.age_s, yard.heard);
  }
  watch();
}

function note(id, element, validS, ageS, heard) {
  const now = performance.now();
  yards.set(id, { element, until: now + validS * 1000, made: now - ageS * 1000, heard });
}

// The watchdog: once a second, whatever the network does.
function watch() {
  const now = performance.now();
  for (const { element, until, made, heard } of yards.values()) {
    if (now < until) {
      const seconds = Math.floor((now - made) / 10000) * 10;
      show(element, "age", seconds < 10 ? body.fresh : body.aged.replace("{n}", seconds));
      continue;
    }
    element.dataset.level = "unknown";
    element.dataset.best = "false";
    show(element, "state", body.unknown);
    show(element, "headline", body.expired);
    show(element, "age", heard);
    for (const field of ["big", "detail", "trend", "arrow", "arrival"]) show(element, field, "");
  }
  const offline = document.getElementById("offline");
  if (offline) offline.hidden = now - heardAt < QUIET_MS * 2;
  const clock = document.getElementById("clock");
  if (clock) {
    const time = new Date(serverNow + now - (heardAt === -Infinity ? 0 : heardAt));
    clock.textContent = time.toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit", hourCycle: "h23", timeZone: body.zone });
  }
}

function listen() {
  if (!window.EventSource) return;
  source = new EventSource(body.live);
  source.addEventListener("view", (event) => take(JSON.parse(event.data)));
}

async function poll() {
  if (performance.now() - heardAt < QUIET_MS && source && source.readyState !== EventSource.CLOSED) return;
  try {
    const answer = await fetch(body.poll, { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (answer.ok) take(await answer.json());
  } catch {
    // no network: the watchdog says so, and the next round tries again
  }
  if (source && source.readyState === EventSource.CLOSED) listen();
}

for (const element of document.querySelectorAll("[data-yard]")) {
  note(element.dataset.yard, element, Number(element.dataset.valid), Number(element.dataset.age), element.dataset.heard);
}
heardAt = performance.now();
watch();
listen();
setInterval(watch, 1000);
setInterval(poll, POLL_MS);
// A page that slept in a pocket or comes back from the history asks at once.
document.addEventListener("visibilitychange", () => { if (!document.hidden) { watch(); heardAt = Math.min(heardAt, performance.now() - QUIET_MS); poll(); } });
