/** Draws requests as bars of time: queued, prefill by chunks, decode. */
import { beginning, byId, el, setText } from "./dom.js";
import { count, duration, percent } from "./format.js";
import { term } from "./tooltip.js";

const MOST_SHOWN = 60;
const LEAST_PREVIEWED = 36; // characters
const MOST_PREVIEWED = 60;
const CLOCK_MS = 20_000; // what the clock's bars span

export class RequestsView {
  #list = byId("requests");
  #rows = new Map(); // by id
  #store = null;
  #stale = true;
  #selected = null;
  #select;

  /**
   * @param select told of the request that somebody clicks
   */
  constructor(select) {
    this.#select = select;
    byId("timing").addEventListener("change", () => this.show(this.#store));
    byId("requests-legend").append(
      el("span", { class: "swatch queued" }), term("queued"),
      el("span", { class: "swatch computed" }), term("prefill"),
      el("span", { class: "swatch generated" }), term("decode"),
    );
  }

  show(store) {
    this.#store = store;
    this.#stale = true;
  }

  select(id) {
    this.#selected = id;
    this.#stale = true;
  }

  /**
   * Called with each frame.
   *
   * @param now the time for what is under way, ms since the epoch
   */
  frame(now) {
    const shown = [...this.#store.requests.values()].slice(-MOST_SHOWN).reverse();
    const moving = byId("timing").value === "clock" && shown.length > 0;
    if (!this.#stale && !moving && !shown.some((request) => !request.ended)) {
      return;
    }
    this.#stale = false;
    byId("requests-empty").hidden = shown.length > 0;
    this.#list.hidden = shown.length === 0;
    const ids = new Set(shown.map((request) => request.id));
    for (const [id, row] of this.#rows) {
      if (!ids.has(id)) {
        row.item.remove();
        this.#rows.delete(id);
      }
    }
    const span = this.#span(shown, now);
    for (let i = shown.length - 1; i >= 0; i--) {
      const request = shown[i];
      if (!this.#rows.has(request.id)) {
        this.#list.prepend(this.#newRow(request));
      }
      this.#draw(this.#rows.get(request.id), request, now, span);
    }
  }

  #newRow(request) {
    const row = {
      text: el("span", { class: "text" }),
      bar: el("span", { class: "time-bar", "aria-hidden": "true" }),
      cached: el("span", { class: "share" }),
      ttft: el("span", { class: "ttft" }),
      parts: new Map(),
    };
    row.button = el("button", { type: "button", "data-request": request.id, onclick: () => this.#select(request.id) },
      row.text, row.bar, row.cached, row.ttft);
    row.item = el("li", {}, row.button);
    this.#rows.set(request.id, row);
    return row.item;
  }

  /** Where bars begin and how long they can be, in ms. */
  #span(shown, now) {
    if (byId("timing").value === "clock") {
      return { from: now - CLOCK_MS, length: CLOCK_MS };
    }
    const lengths = shown.map((request) => (request.ended ?? now) - request.queued).sort((a, b) => a - b);
    return { from: null, length: Math.max(1, lengths.at(-1) ?? 1) };
  }

  #draw(row, request, now, { from, length }) {
    const state = stateOf(request);
    const { lookup } = request;
    const preview = previewOf(request);
    setText(row.text, preview);
    setText(row.cached, lookup ? percent(lookup.cached, request.promptTokens) : "");
    setText(row.ttft, ttft(request));
    row.button.dataset.state = state;
    row.button.setAttribute("aria-current", request.id === this.#selected);
    const label =
      `${state}, ${lookup ? `${count(lookup.cached)} of ` : ""}${count(request.promptTokens)} tokens` +
      `${lookup ? " cached" : ""}${request.first ? `, first token after ${ttft(request)}` : ""}: ` +
      preview;
    if (row.button.getAttribute("aria-label") !== label) {
      row.button.setAttribute("aria-label", label);
    }
    const begin = from ?? request.queued;
    const used = new Set();
    for (const [name, kind, start, end] of parts(request, now)) {
      used.add(name);
      let part = row.parts.get(name);
      if (!part) {
        part = el("i", { class: kind });
        row.parts.set(name, part);
        row.bar.append(part);
      }
      const left = Math.max(0, (start - begin) / length);
      const right = Math.max(0, (end - begin) / length);
      part.style.left = `${100 * Math.min(left, 1)}%`;
      part.style.width = `${100 * Math.min(right - left, 1)}%`;
    }
    for (const [name, part] of row.parts) {
      if (!used.has(name)) {
        part.remove();
        row.parts.delete(name);
      }
    }
  }
}

export function stateOf(request) {
  return request.outcome ?? (request.first ? "decode" : request.started ? "prefill" : "queued");
}

/** What tells a request from those before: its text from where it was not cached. */
function previewOf({ texts, lookup }) {
  let from = lookup?.cached ?? 0;
  for (let length = texts.slice(from).join("").length; from > 0 && length < LEAST_PREVIEWED; length += texts[from].length) {
    from--;
  }
  return (from > 0 ? "…" : "") + beginning(texts.slice(from, from + MOST_PREVIEWED), MOST_PREVIEWED);
}

/** Time to first token. */
function ttft(request) {
  if (request.times && request.first) {
    return duration(request.times.queue + request.times.prefill);
  }
  return request.first ? duration(request.first - request.queued) : "";
}

/**
 * A request's time in parts: [name, kind, from, to]. Once the server has told exact times, these
 * count; the events' own are in whole milliseconds.
 */
function parts(request, now) {
  const end = request.ended ?? now;
  const exact = request.times;
  const started = exact ? request.queued + exact.queue : (request.started ?? end);
  const first = exact && request.first ? started + exact.prefill : (request.first ?? end);
  const last = exact && request.first ? first + exact.decode : end;
  const all = [["queue", "queued", request.queued, started]];
  if (request.started) {
    // Chunks end where their events came, within what is known of the whole.
    const ends = request.chunks.map((chunk) => Math.min(first, Math.max(started, chunk.time)));
    if (ends.length > 0 && request.first) {
      ends[ends.length - 1] = first;
    } else {
      ends.push(first);
    }
    let from = started;
    ends.forEach((to, i) => {
      all.push([`chunk ${i}`, "computed", from, to]);
      from = to;
    });
  }
  if (request.first) {
    all.push(["decode", "generated", first, last]);
  }
  return all;
}
