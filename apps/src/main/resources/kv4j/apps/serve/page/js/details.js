/** Shows all there is to know of a run of the tree, or of a request. */
import { beginning, byId, el } from "./dom.js";
import { bytes, count, duration, many, times } from "./format.js";
import { REASONS } from "./glossary.js";
import { grid, heatMap } from "./grids.js";
import { stateOf } from "./requests-view.js";
import { authorization } from "./stream.js";
import { strip } from "./strip.js";
import { term } from "./tooltip.js";

const MANY = 10; // requests, for an example of what many alike would gain
const DIVERGED = 8; // tokens shown of what is stored, as the server tells of

export class Details {
  #panel = byId("details");
  #key;
  #open; // opens a run or request
  #shown = null; // {kind, id}
  #drawn = null; // what the panel was drawn of
  #maps = null; // {tokens, element} of the run that is shown
  #offline = false;

  /**
   * @param key gives the key to send
   * @param open told of a run or request that somebody asks for: open({kind, id})
   */
  constructor(key, open) {
    this.#key = key;
    this.#open = open;
    this.#hint();
  }

  /** There is no server to ask for keys and values. */
  set offline(offline) {
    this.#offline = offline;
  }

  #hint() {
    this.#panel.replaceChildren(
      el("p", { class: "hint" }, "Click a strip of the tree or a request to see all about it."));
  }

  show(shown, store) {
    this.#shown = shown;
    this.#drawn = null;
    this.#maps = null;
    this.refresh(store);
  }

  /** Draws again if what is shown has changed. */
  refresh(store) {
    if (!this.#shown) {
      return;
    }
    const { kind, id } = this.#shown;
    const state = kind === "run" ? this.#runState(store, id) : this.#requestState(store, id);
    if (state === this.#drawn) {
      return;
    }
    this.#drawn = state;
    const scroll = this.#panel.scrollTop;
    this.#panel.replaceChildren(...(kind === "run" ? this.#run(store, id) : this.#request(store, id)));
    this.#panel.scrollTop = scroll;
  }

  #runState(store, id) {
    const run = store.runs.get(id);
    return run ? [id, run.start, run.texts.length, run.hits, run.children.length, store.held().has(id)].join() : `${id} gone`;
  }

  #requestState(store, id) {
    const request = store.requests.get(id);
    return request ? [id, stateOf(request), request.chunks.length].join() : `${id} gone`;
  }

  #run(store, id) {
    const run = store.runs.get(id);
    if (!run) {
      return [el("h2", {}, "A run that is gone"), el("p", {}, "It was removed from the cache, or became part of another run.")];
    }
    const held = store.held().has(id);
    const names = [...store.pinned].filter(([, end]) => store.path(end).some((other) => other.id === id)).map(([name]) => name);
    const facts = factList([
      [term("token", "Tokens"), `${count(run.texts.length)}, positions ${count(run.start)} to ${count(run.start + run.texts.length - 1)}`],
      [term("block", "Blocks"), `${count(run.entries)} of its own, ${bytes(run.bytes)}`],
      [term("hits", "Hits"), count(run.hits)],
      [term("pinned", "Pinned"), held ? (names.length ? `as ${names.join(", ")}` : "by a running request") : "no"],
      ["Computed", [`${duration(store.now - run.time)} ago by `, this.#origin(store, run.request)]],
      ...(run.namespace ? [[term("tenant", "Tenant"), run.namespace]] : []),
      ...(run.salted ? [[term("salt", "Salt"), "found with its salt only"]] : []),
      ["Goes on as", many(run.children.length, "run")],
    ]);
    return [
      el("h2", {}, term("run", "Run"), ` ${id}`),
      strip({ kind: "stored", texts: run.texts, label: "Stored" }),
      facts,
      el("h3", {}, term("kv", "Keys and values"), " by layer and head"),
      this.#mapsOf(run, store.model),
    ];
  }

  #origin(store, request) {
    if (store.requests.has(request)) {
      return el("button", { type: "button", class: "inline", onclick: () => this.#open({ kind: "request", id: request }) }, "this request");
    }
    return request === "" ? "a request without a name" : request;
  }

  /** Heat maps of a run's keys and values, which are asked for once for the same tokens. */
  #mapsOf(run, model) {
    const tokens = `${run.id} ${run.start} ${run.texts.length}`;
    if (this.#maps?.tokens !== tokens) {
      this.#maps = { tokens, element: el("div", { class: "maps" }) };
      this.#loadMaps(this.#maps.element, run, model);
    }
    return this.#maps.element;
  }

  async #loadMaps(maps, run, model) {
    if (this.#offline) {
      maps.append(el("p", { class: "note" }, "A recording has no keys and values to look at."));
      return;
    }
    const response = await fetch(`cache/runs/${run.id}`, { headers: authorization(this.#key()) }).catch(() => null);
    if (!response?.ok) {
      maps.append(el("p", { class: "note" }, "Its keys and values cannot be read: it is gone, or the server is."));
      return;
    }
    const { keys, values } = await response.json();
    maps.append(
      heatMap("Keys", keys), heatMap("Values", values),
      el("p", { class: "note" }, term("magnitude", "Mean size"),
        ` of ${count(model.layers)} layers × ${count(model.kv_heads)} heads × ${count(model.head_dim)} elements, read just now.`));
  }

  #request(store, id) {
    const request = store.requests.get(id);
    if (!request) {
      return [el("h2", {}, "A request from before"), el("p", {}, "It is too long ago to be remembered.")];
    }
    const { lookup, times: time } = request;
    const cached = lookup?.cached ?? 0;
    const [read, readEnd] = readPart(lookup, store.model);
    const chunks = request.chunks.map((chunk, i) => chunk.tokens - (i === 0 ? cached : request.chunks[i - 1].tokens));
    return [
      el("h2", {}, "Request ", el("small", {}, id)),
      el("p", { class: "state" }, el("b", {}, stateOf(request)), request.namespace ? ` · tenant ${request.namespace}` : "",
        request.user ? ` · user ${beginning([request.user], 60)}` : ""),
      legend(readEnd > read),
      strip(
        { kind: "cached", texts: request.texts.slice(0, read), label: "Cached" },
        { kind: "read", texts: request.texts.slice(read, readEnd), label: "From the store" },
        { kind: "cached", texts: request.texts.slice(readEnd, cached), label: "Cached" },
        { kind: lookup ? "computed" : "unknown", texts: request.texts.slice(cached), label: lookup ? "Computed" : "Not looked up yet" },
        { kind: "generated", texts: request.generated, label: "Generated" }),
      ...(lookup ? [this.#reason(request, lookup), ...this.#gain(request, lookup, time)] : []),
      ...(lookup ? [el("h3", {}, "Layers × tokens"), grid(store.model.layers, request.promptTokens, cached)] : []),
      factList([
        [term("queued", "Queued"), time ? duration(time.queue) : "–"],
        [term("prefill", "Prefill"), time ? duration(time.prefill) : "–"],
        [term("chunk", "Chunks"), chunks.length ? `${chunks.map(count).join(" + ")} tokens` : "–"],
        [term("decode", "Decode"), time ? `${duration(time.decode)}, ${many(request.generated.length, "token")}` : "–"],
      ]),
    ];
  }

  #reason(request, lookup) {
    const [short, long] = REASONS[lookup.reason];
    const box = el("div", { class: "reason", "data-reason": lookup.reason },
      el("p", {}, el("b", {}, `${count(lookup.cached)} of ${count(request.promptTokens)} tokens cached`,
        lookup.read > 0 ? `, ${count(lookup.read)} of these from the store` : ""),
        lookup.cached + 1 < request.promptTokens ? ` – not more, since ${short}.` : `: ${short}.`),
      el("p", { class: "note" }, long));
    if (lookup.stored.length > 0) {
      const here = request.texts.slice(lookup.cached, lookup.cached + DIVERGED);
      const before = request.texts.slice(Math.max(0, lookup.cached - DIVERGED), lookup.cached);
      box.append(el("dl", { class: "fork" },
        el("dt", {}, `Both, up to token ${count(lookup.cached)}`), el("dd", { class: "cached" }, el("bdi", {}, `…${beginning(before, 200)}`)),
        el("dt", {}, "Here"), el("dd", { class: "computed" }, el("bdi", { "data-fork": "here" }, beginning(here, 200))),
        el("dt", {}, "Stored"), el("dd", { class: "stored" }, el("bdi", { "data-fork": "stored" }, beginning(lookup.stored, 200)))));
    }
    return box;
  }

  /** Time to first token with and without the cache, and the most that was possible. */
  #gain(request, { cached }, time) {
    if (!time || !request.first) {
      return [];
    }
    const tokens = request.promptTokens;
    const computed = tokens - cached;
    const withCache = time.queue + time.prefill;
    const lines = [
      el("h3", {}, term("ttft", "Time to first token")),
    ];
    if (cached === 0) {
      lines.push(bars([["nothing was cached", withCache, "computed"]], withCache));
    } else if (time.perToken !== null) {
      const without = withCache + cached * time.perToken;
      lines.push(
        bars([["with the cache", withCache, "cached"], ["without it, about", without, "computed"]], without),
        el("p", { class: "formula" }, `${duration(withCache)} + ${count(cached)} cached × ${duration(time.perToken)} per token ≈ ${duration(without)}: `,
          el("b", {}, times(without / withCache)), " as fast"));
    } else {
      lines.push(
        bars([["with the cache", withCache, "cached"]], withCache),
        el("p", { class: "note" }, "What it would be without is known once a prompt with 32 computed tokens was run."));
    }
    lines.push(el("p", { class: "formula" }, term("ceiling", "ceiling"), " = tokens ÷ computed tokens = ",
      `${count(tokens)} ÷ ${count(computed)} = `, el("b", {}, times(tokens / computed))));
    if (cached > 0 && time.perToken !== null) {
      const full = time.prefill + cached * time.perToken;
      lines.push(el("p", { class: "formula" }, `${MANY} such requests, the first of them cold: N·f ÷ (f + (N − 1)·g) = `,
        `${MANY} × ${duration(full)} ÷ (${duration(full)} + ${MANY - 1} × ${duration(time.prefill)}) = `,
        el("b", {}, times((MANY * full) / (full + (MANY - 1) * time.prefill)))));
    }
    return lines;
  }
}

function bars(rows, most) {
  return el("dl", { class: "bars" }, rows.map(([name, ms, kind]) => {
    const bar = el("i", { class: kind });
    bar.style.width = `${Math.max(0.5, (100 * ms) / most)}%`;
    return [el("dt", {}, name), el("dd", {}, el("span", { class: "track" }, bar), duration(ms))];
  }));
}

function factList(rows) {
  return el("dl", { class: "facts" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** Where the tokens that came from the store begin and end: the last whole blocks of those cached. */
function readPart(lookup, model) {
  const cached = lookup?.cached ?? 0;
  const end = lookup?.read > 0 ? cached - (cached % model.block_tokens) : cached;
  return [end - (lookup?.read ?? 0), end];
}

/**
 * @param withStore whether a store has to do with it
 */
function legend(withStore) {
  return el("p", { class: "legend" },
    el("span", { class: "swatch cached" }), term("cached"),
    withStore ? [el("span", { class: "swatch read" }), term("read", "from the store")] : [],
    el("span", { class: "swatch computed" }), term("computed"),
    el("span", { class: "swatch generated" }), term("generated"));
}
