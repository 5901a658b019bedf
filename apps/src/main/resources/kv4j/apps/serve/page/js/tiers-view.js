/** Draws what is kept where: in memory, and in a store behind it. */
import { el, setText } from "./dom.js";
import { bytes, count, duration, many, percent } from "./format.js";
import { term } from "./tooltip.js";

const NANOS_PER_MS = 1e6;

export class TiersView {
  #table = el("table", { id: "tiers" });
  #counts = el("dl", { class: "removed" });
  #rates = el("p", { class: "note" });
  #nodes = el("p", { class: "note", id: "nodes" });
  element = el("div", { id: "tiers-box", hidden: true }, this.#table, this.#counts, this.#rates, this.#nodes);

  /** What a server without a store has is in the rest of the panel. */
  show({ figures, bytes: inMemory }) {
    const tier = figures?.store;
    this.element.hidden = !tier;
    if (!tier) {
      return;
    }
    const asked = figures.asked ?? { prompt_tokens: 0, cached_tokens: 0, store_tokens: 0 };
    const share = (tokens) => percent(tokens, asked.prompt_tokens);
    this.#table.replaceChildren(
      row("th", term("tier", "Tier"), "kept", "hits", "reads", "writes"),
      row("td", "memory", bytes(inMemory), share(asked.cached_tokens - asked.store_tokens), "–", "–"),
      row("td", tier.kind, tier.bytes === null ? tier.state : bytes(tier.bytes), share(asked.store_tokens),
        rate(tier.read_bytes, tier.read_nanos), rate(tier.written_bytes, tier.write_nanos)));
    const counts = [
      ["late", tier.late], ["damaged", tier.damaged], ["dropped", tier.dropped + tier.write_failed], ["slower", tier.slower]];
    this.#counts.replaceChildren(...counts.map(([name, number]) =>
      el("div", { "data-store": name }, el("dt", {}, term(name)), el("dd", {}, count(number)))));
    setText(this.#rates, perToken(tier));
    this.#nodes.replaceChildren(...(tier.nodes.length > 0
      ? [term("nodes", many(tier.nodes.length, "node")), `: ${tier.nodes.join(", ")}`] : []));
  }
}

function row(kind, first, ...others) {
  return el("tr", {}, el("th", { scope: kind === "td" ? "row" : "col" }, first), others.map((text) => el(kind, {}, text)));
}

function rate(amount, nanos) {
  return nanos === 0 ? "–" : `${bytes((amount * 1e9) / nanos)}/s`;
}

/** What reading takes beside what computing takes. */
function perToken({ read_nanos_per_token: read, compute_nanos_per_token: compute }) {
  const ms = (nanos) => (nanos === 0 ? "not known" : duration(nanos / NANOS_PER_MS));
  return read === 0 && compute === 0 ? "" : `A token now: to read ${ms(read)}, to compute ${ms(compute)}`;
}
