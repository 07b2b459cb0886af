// <hoflicht-wait yard="hof-nord"></hoflicht-wait>: one yard's waiting time on anybody's page. The words come ready from the server.
// What stands inside the element is for readers without script.
// No cookie, nobody else is asked, and nothing of the page around it is touched.
(() => {
  "use strict";
  const SILENT = {/* words by language */}; // what is said where no server has ever answered
  const VIEW = new URL("view/", document.currentScript.src);
  const ASK_MS = 20000; // a number is good for a minute, so two answers may fail
  const PATIENCE_MS = 8000; // with one answer
  const KEPT_MS = 5000; // an answer may have lain so long in a cache
  const FIELDS = ["name", "number", "headline", "detail", "note", "arrival", "notice", "age"];
  // A page that never said it can be dark stays light: light-dark() goes by the page's own color-scheme.
  const STYLE = `
    :host { display: block; max-width: 24rem; line-height: 1.35; font-family: var(--hoflicht-font, system-ui, sans-serif); }
    :host([hidden]), [hidden] { display: none; }
    div { padding: 0.9em 1.1em; border-radius: 0.6em; border: 1px solid #b9c4be; background: #fff; color: #14201c;
      background: light-dark(#fff, #19221f); color: light-dark(#14201c, #eaf1ee); }
    p { margin: 0; }
    .name, .headline { font-weight: 650; }
    .number { font-size: 2.6em; font-weight: 720; line-height: 1.15; }
    .number, .headline { color: #51605a; color: light-dark(#51605a, #a3b3ac); }
    :is([data-level=free], [data-level=short]) .number { color: #0b6b4f; color: light-dark(#0b6b4f, #6fd3ae); }
    [data-level=medium] .number { color: #8a5200; color: light-dark(#8a5200, #f0b95a); }
    :is([data-level=long], [data-level=held], [data-level=closing]) :is(.number, .headline) {
      color: #a8281f; color: light-dark(#a8281f, #ff9187); }
    [data-number] .headline { color: inherit; }
    .detail, .note, .age { font-size: 0.9em; color: #51605a; color: light-dark(#51605a, #a3b3ac); }`;

  // Milliseconds since the page was opened, which never go back. performance.now() stands still while a phone sleeps, and Date.now()
  // jumps when somebody sets it: of both the longer step counts.
  let spent = 0, tick = performance.now(), date = Date.now();
  function elapsed() {
    const now = performance.now(), today = Date.now();
    spent += Math.max(now - tick, today - date, 0);
    [tick, date] = [now, today];
    return spent;
  }

  class Wait extends HTMLElement {
    static observedAttributes = ["yard", "lang"];
    #card = document.createElement("div");
    #parts = {};
    #news = null;
    #asked = -Infinity;
    #isWrong = false; // there is no such yard
    #timer = 0;
    #look = () => this.#turn();

    constructor() {
      super();
      const sheet = new CSSStyleSheet(); // unlike a <style> it needs no leave of the page's policy
      sheet.replaceSync(STYLE);
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      for (const field of FIELDS) {
        const part = (this.#parts[field] = document.createElement("p"));
        part.className = field;
        part.hidden = true;
        this.#card.append(part);
      }
      this.#parts.number.setAttribute("aria-hidden", "true"); // the headline says it too
      this.#parts.headline.setAttribute("aria-live", "polite");
      this.#parts.name.id = "name";
      this.#card.setAttribute("role", "group");
      this.#card.setAttribute("aria-labelledby", "name");
      root.append(this.#card);
    }

    connectedCallback() {
      this.#timer = setInterval(this.#look, 1000);
      document.addEventListener("visibilitychange", this.#look);
      this.#turn();
    }

    disconnectedCallback() {
      clearInterval(this.#timer);
      document.removeEventListener("visibilitychange", this.#look);
    }

    attributeChangedCallback() {
      [this.#news, this.#asked, this.#isWrong] = [null, -Infinity, false];
      if (this.isConnected) this.#turn();
    }

    // Take away what is old, and ask when it is time; a page that nobody looks at asks nothing.
    #turn() {
      if (this.#news) this.#tell();
      if (!document.hidden && !this.#isWrong && elapsed() - this.#asked >= ASK_MS) this.#ask();
    }

    async #ask() {
      const since = (this.#asked = elapsed());
      const url = new URL(encodeURIComponent(this.getAttribute("yard") ?? ""), VIEW);
      url.searchParams.set("lang", this.#language());
      let answer = null, news = null;
      try {
        answer = await fetch(url, { signal: AbortSignal.timeout?.(PATIENCE_MS) }); // phones of before 2022 have none
        news = await answer.json();
      } catch {
        // no network or no server: what is shown goes when its time is over
      }
      if (since !== this.#asked) return; // it is another yard's element by now
      if (answer?.status === 404) {
        this.#isWrong = true;
        console.error(`<hoflicht-wait yard="${this.getAttribute("yard") ?? ""}">: ${news?.detail ?? "no such yard"}`);
      }
      if (answer?.ok && Number.isFinite(news?.yard?.valid_s + news?.yard?.age_s)) {
        const until = since + news.yard.valid_s * 1000 - KEPT_MS;
        this.#news = { ...news, until, made: since - news.yard.age_s * 1000 };
      }
      this.#tell();
    }

    #tell() {
      const news = this.#news, now = elapsed();
      if (!news || now >= news.until) {
        this.#show({ name: news?.yard.name, headline: news?.expired ?? this.#silence(), age: news?.yard.heard }, "unknown");
        return;
      }
      const yard = news.yard, seconds = Math.floor((now - news.made) / 10000) * 10;
      const number = yard.big && `${yard.rough} ${yard.big} ${news.unit}`.trim();
      const age = seconds < 10 ? news.fresh : news.aged.replace("{n}", seconds);
      this.#show({ ...yard, number, age }, yard.level);
    }

    #show(texts, level) {
      this.#card.dataset.level = level;
      this.#card.toggleAttribute("data-number", Boolean(texts.number));
      for (const [field, part] of Object.entries(this.#parts)) {
        const text = texts[field] ?? "";
        if (part.textContent !== text) part.textContent = text;
        part.hidden = text === "";
      }
    }

    #language() {
      return this.closest("[lang]")?.lang ?? "";
    }

    #silence() {
      const language = this.#language();
      return SILENT[language] ?? SILENT[language.split("-")[0]] ?? Object.values(SILENT)[0];
    }
  }

  if (!customElements.get("hoflicht-wait")) customElements.define("hoflicht-wait", Wait);
})();
