/** Draws what the cache keeps against what it may, over time. */
import { byId, el, setText, svg } from "./dom.js";
import { bytes, count, percent } from "./format.js";
import { TiersView } from "./tiers-view.js";
import { term } from "./tooltip.js";

const WIDTH = 400;
const HEIGHT = 100;
const SPAN_MS = 120_000;
const MOVE_MS = 250; // how often the past moves on while nothing happens

export class MemoryView {
  #store = null;
  #stale = true;
  #drawn = 0; // when
  #areas = {};
  #budget = svg("line", { class: "budget", x1: 0, x2: WIDTH });
  #top = el("span", { class: "top" });
  #full = el("i");
  #formula = el("p", { class: "formula" });
  #removed = el("dl", { class: "removed" });
  #tiers = new TiersView();
  #chart;

  constructor() {
    this.#chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    for (const kind of ["bytes", "pinned", "running"]) {
      this.#areas[kind] = svg("path", { class: `area ${kind}` });
      this.#chart.append(this.#areas[kind]);
    }
    this.#chart.append(this.#budget);
    byId("memory").append(
      el("div", { class: "fill", "aria-hidden": "true" }, this.#full),
      el("div", { class: "chart" }, this.#chart, this.#top),
      el("p", { class: "legend" }, el("span", { class: "swatch bytes" }), "kept", el("span", { class: "swatch pin" }), term("pinned"),
        el("span", { class: "swatch running" }), term("running"), " · the last 2 minutes"),
      this.#removed,
      this.#tiers.element,
      this.#formula,
    );
  }

  show(store) {
    this.#store = store;
    this.#stale = true;
  }

  frame(now) {
    const { samples, bytes: kept, maxBytes, model } = this.#store;
    const moves = samples.length > 1 && now - samples.at(-1).time < SPAN_MS && Math.abs(now - this.#drawn) > MOVE_MS;
    if (!model || (!this.#stale && !moves)) {
      return;
    }
    this.#drawn = now;
    const summary = `${bytes(kept)} of ${bytes(maxBytes)}, ${percent(kept, maxBytes)}`;
    setText(byId("memory-summary"), summary);
    this.#full.style.width = `${Math.min(100, (100 * kept) / maxBytes)}%`;
    const since = now - SPAN_MS;
    const first = samples.findLastIndex((sample) => sample.time <= since);
    const seen = samples.slice(Math.max(0, first));
    const peak = Math.max(1, ...seen.map((sample) => Math.max(sample.bytes, sample.pinned, sample.running)));
    const top = peak > maxBytes / 3 ? Math.max(maxBytes, peak) * 1.06 : peak * 1.25;
    const x = (time) => Math.max(0, WIDTH * (1 - (now - time) / SPAN_MS));
    const y = (value) => HEIGHT * (1 - value / top);
    for (const [kind, path] of Object.entries(this.#areas)) {
      let d = `M${seen.length ? x(seen[0].time) : WIDTH},${HEIGHT}`;
      for (const sample of seen) {
        d += `H${x(sample.time).toFixed(1)}V${y(sample[kind]).toFixed(1)}`;
      }
      path.setAttribute("d", `${d}H${WIDTH}V${HEIGHT}Z`);
    }
    this.#budget.setAttribute("y1", y(maxBytes));
    this.#budget.setAttribute("y2", y(maxBytes));
    setText(this.#top, top > maxBytes ? `budget ${bytes(maxBytes)}` : `${bytes(peak)}`);
    if (this.#stale) {
      this.#chart.setAttribute("aria-label", `Bytes kept over the last two minutes: ${summary}`);
      this.#texts(model);
      this.#tiers.show(this.#store);
    }
    this.#stale = false;
  }

  #texts(model) {
    const causes = { size: "evicted", expired: "expired", superseded: "superseded", explicit: "explicit" };
    this.#removed.replaceChildren(...Object.entries(causes).map(([cause, name]) =>
      el("div", { "data-cause": cause }, el("dt", {}, term(name)), el("dd", {}, count(this.#store.removed[cause] ?? 0)))));
    const factors = [[2, "keys and values"], [model.layers, "layers"], [model.kv_heads, "KV heads"], [model.head_dim, "elements"], [model.bytes_per_element, "bytes"]];
    this.#formula.replaceChildren(
      factors.map(([number, what]) => `${count(number)} ${what}`).join(" × "),
      " = ", el("b", {}, `${bytes(model.bytes_per_token)} per token`), `, × ${count(model.block_tokens)} = ${bytes(model.bytes_per_token * model.block_tokens)} per `, term("block"));
  }
}
