// Keeps a page's numbers fresh, and takes each away when its time is over. The words come ready from the server.
"use strict";

const QUIET_MS = 20000; // a stream brings news every 10 s; two that did not come, and the page asks
const ASK_MS = 15000; // and so often from then on
const PATIENCE_MS = 9000; // with one answer: it has come, or failed, before the page turns grey
const STALE_MS = 30000; // then what is shown is marked as old
const OFFLINE_MS = 60000; // so long the server lets a number live
const SAY_MS = 60000; // at least between two announcements to who listens to the page
const PLACE = { timeout: 15000, maximumAge: 300000 }; // a phone's last place will do: yards are kilometres apart
const EARTH_KM = 6371;
const FIELDS = ["state", "short", "headline", "rough", "big", "detail", "note", "notice", "trend", "arrow", "queue", "arrival", "hours", "today", "week"];

const words = document.body.dataset;
const yards = new Map(); // id -> what was last heard of it
const said = new Map(); // id -> the headline that was last announced
const start = { date: Date.now(), tick: performance.now() };
let heardAt = elapsed(); // of the last news
let askedAt = -Infinity;
let saidAt = -Infinity;
let source = null;

// Milliseconds since the page was opened. A sleeping phone stops performance.now(), and Date.now() jumps when somebody sets it.
function elapsed() {
  return Math.max(performance.now() - start.tick, Date.now() - start.date);
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(place, field, text) {
  for (const element of place.querySelectorAll(`[data-field="${field}"]`)) set(element, text);
}

// A yard stands on the page twice: in the list at the top and as a card.
function places(id) {
  return document.querySelectorAll(`[data-yard="${CSS.escape(id)}"]`);
}

function tell(id, fields, level, isNumber, isBest) {
  for (const place of places(id)) {
    for (const [field, text] of Object.entries(fields)) show(place, field, text);
    place.dataset.level = level;
    place.dataset.number = isNumber;
    place.dataset.best = isBest;
  }
}

function note(element, id, validS, ageS, heard) {
  const now = elapsed();
  yards.set(id, { element, made: now - ageS * 1000, until: now + validS * 1000, heard });
}

function take(view) {
  heardAt = elapsed();
  for (const yard of view.yards) {
    const known = yards.get(yard.id);
    if (!known) continue;
    const fields = Object.fromEntries([...FIELDS, "heard"].map((field) => [field, yard[field]]));
    tell(yard.id, fields, yard.level, yard.big !== "", yard.best);
    known.element.querySelector('[data-field="notice"]').lang = yard.notice_lang;
    note(known.element, yard.id, yard.valid_s, yard.age_s, yard.heard);
  }
  watch();
}

function expire(id, heard) {
  const nothing = Object.fromEntries(FIELDS.map((field) => [field, ""]));
  const expired = { state: words.unknown, short: words.unknown, headline: words.expired, age: heard };
  tell(id, { ...nothing, ...expired }, "unknown", false, false);
}

// The watchdog: once a second, whatever the network does.
function watch() {
  const now = elapsed();
  for (const [id, { element, made, until, heard }] of yards) {
    if (now >= until || now < made) { // earlier than it was made: somebody set the clock, and nothing can be told
      expire(id, heard);
      continue;
    }
    const seconds = Math.floor((now - made) / 10000) * 10;
    show(element, "age", seconds < 10 ? words.fresh : words.aged.replace("{n}", seconds));
  }
  const quiet = now - heardAt;
  const isStale = quiet >= STALE_MS || navigator.onLine === false;
  document.body.classList.toggle("stale", isStale);
  set(document.getElementById("offline"), quiet >= OFFLINE_MS ? words.offlineText : isStale ? words.staleText : "");
  compare();
  announce(now);
}

function headline(element) {
  return element.querySelector('[data-field="headline"]').textContent;
}

// To a screen reader: what has changed, all at once and seldom. It would read out every live region of every yard else.
function announce(now) {
  if (now - saidAt < SAY_MS) return;
  const news = [];
  for (const [id, { element }] of yards) {
    const text = headline(element);
    if (said.get(id) !== text) news.push(`${element.querySelector("h2").textContent}: ${text}`);
    said.set(id, text);
  }
  if (news.length === 0) return;
  set(document.getElementById("news"), news.join(" – "));
  saidAt = now;
}

function listen() {
  if (!window.EventSource) return;
  source = new EventSource(words.live);
  source.addEventListener("view", (event) => take(JSON.parse(event.data)));
}

async function ask() {
  askedAt = elapsed();
  const signal = AbortSignal.timeout ? AbortSignal.timeout(PATIENCE_MS) : undefined; // phones of before 2022 have none
  try {
    const answer = await fetch(words.poll, { cache: "no-store", signal });
    if (answer.ok) take(await answer.json());
  } catch {
    // no network: the watchdog says so, and the next round tries again
  }
}

function askIfQuiet() {
  const closed = !source || source.readyState === EventSource.CLOSED; // EventSource gives up when a server says no
  if (elapsed() - askedAt < ASK_MS || (!closed && elapsed() - heardAt < QUIET_MS)) return;
  if (closed) listen();
  ask();
}

function look() {
  watch();
  askIfQuiet();
}

// Near and quick. Where the reader is stays in this function's page: it is compared with the yards here, and sent nowhere.
function locate() {
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      for (const { element } of yards.values()) element.dataset.km = distance(coords, element.dataset);
      for (const element of byDistance()) {
        const km = Number(element.dataset.km);
        const digits = { maximumFractionDigits: km < 10 ? 1 : 0 };
        show(element, "distance", words.far.replace("{n}", km.toLocaleString(document.documentElement.lang, digits)));
        for (const place of places(element.dataset.yard)) place.parentElement.append(place);
      }
      set(document.getElementById("located"), "");
      document.getElementById("pair").hidden = false;
      compare();
    },
    () => set(document.getElementById("located"), words.failed),
    PLACE,
  );
}

// The great circle between two places, in km.
function distance(from, to) {
  const [a, b, turn] = [from.latitude, to.lat, to.lon - from.longitude].map((degrees) => (degrees * Math.PI) / 180);
  return 2 * EARTH_KM * Math.asin(Math.sqrt(Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(turn / 2) ** 2));
}

function byDistance() {
  return [...yards.values()].map(({ element }) => element).sort((a, b) => a.dataset.km - b.dataset.km);
}

// The nearest yard that lets somebody in, beside the nearest of the quickest.
function compare() {
  if (document.getElementById("pair").hidden) return;
  const nearby = byDistance();
  const near = nearby.find((element) => element.dataset.number === "true") || nearby[0];
  const quick = nearby.find((element) => element.dataset.best === "true") || near;
  choose("near-choice", near, near.dataset.best === "true" ? words.both : words.nearest);
  choose("quick-choice", quick, words.quickest);
  document.getElementById("quick-choice").hidden = near === quick;
}

function choose(id, element, which) {
  const choice = document.getElementById(id);
  show(choice, "which", which);
  show(choice, "name", element.querySelector("h2").textContent);
  show(choice, "headline", headline(element));
  show(choice, "distance", element.querySelector('[data-field="distance"]').textContent);
}

for (const element of document.querySelectorAll("article")) {
  const { yard, valid, age, heard } = element.dataset;
  note(element, yard, Number(valid), Number(age), heard);
  said.set(yard, headline(element));
}
watch();
listen();
setInterval(look, 1000);
if (navigator.geolocation && yards.size > 1) {
  document.getElementById("near").hidden = false;
  document.getElementById("locate").addEventListener("click", locate);
}
// A page that slept in a pocket, or comes back by a swipe, asks at once.
for (const [what, where] of [["visibilitychange", document], ["pageshow", window], ["online", window]]) {
  where.addEventListener(what, (event) => {
    if (document.hidden || (event.type === "pageshow" && !event.persisted)) return;
    watch();
    ask();
  });
}
window.addEventListener("offline", watch);
