/** Draws the tree: only what is in sight becomes elements, so that thousands of runs stay smooth. */
import { beginning, byId, el, setText } from "./dom.js";
import { bytes, count, duration, many } from "./format.js";
import { term } from "./tooltip.js";
import { layOut } from "./tree-layout.js";

const STRIP = 23; // px of a run's height
const ROWS = [29, 42]; // px from one branch to the next, at least and at most
const GAP = 16; // px between a run and what follows it
const LEFT = 10;
const MARGIN = 300; // px beyond what is in sight that are drawn all the same
const WIDEST_TOKEN = 18; // px, when all fits
const FOLD_WIDTH = 190;
const LEAST_WIDTH = 4;
const NARROW = 24; // px, without room for text
const AGEING_MS = 2000; // how often colours are brought up to date
const OLD_MS = 10 * 60_000;
const TENANTS = 6;

/** Trees beyond this many runs are laid out a few times a second, not with every frame. */
const LARGE = 3000;
const LARGE_PAUSE_MS = 150;

export class TreeView {
  #select;
  #scroll = byId("tree");
  #canvas = byId("tree-canvas");
  #store = null;
  #layout = { items: [], rows: 0, end: 0, depth: 0 };
  #held = new Set();
  #found = null;
  #unfolded = new Set();
  #zoom = 1; // of what makes all fit
  #scale = 1;
  #row = ROWS[0];
  #selected = null;
  #focused = null;
  #drawn = new Map(); // elements by the item's key
  #stale = true;
  #laidOut = 0;
  #aged = 0;
  #time = 0;
  #flashes = new Map();

  /**
   * @param select told of the run that somebody clicks
   */
  constructor(select) {
    this.#select = select;
    this.#scroll.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.#scroll);
    // Else a run would light up again whenever the tree is shown again.
    this.#canvas.addEventListener("animationend", ({ target }) => target.classList.remove("found", "inserted"));
    this.#canvas.addEventListener("click", (event) => this.#click(event.target.closest("[data-key]")));
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    byId("zoom-in").addEventListener("click", () => this.#zoomTo(this.#zoom * 1.6));
    byId("zoom-out").addEventListener("click", () => this.#zoomTo(Math.max(1, this.#zoom / 1.6)));
    byId("zoom-fit").addEventListener("click", () => this.#zoomTo(1));
    byId("colour").addEventListener("change", () => this.draw());
    byId("search").addEventListener("input", () => this.show(this.#store));
  }

  /** Something has happened: runs it concerns light up. */
  happened({ event, data }) {
    if (event === "found" && data.run) {
      this.#store?.path(data.run).forEach((run) => this.#flashes.set(`run ${run.id}`, "found"));
    } else if (event === "inserted") {
      this.#flashes.set(`run ${data.run}`, "inserted");
    } else if (event === "removed") {
      this.#flashes.set(`run ${data.run}`, "removed");
    }
  }

  select(id) {
    this.#selected = id;
    this.draw();
  }

  /** The state has changed. */
  show(store) {
    this.#store = store;
    this.#stale = true;
  }

  /**
   * Called with each frame.
   *
   * @param now ms since the page was opened
   * @param time ms since the epoch, by the server's clock
   */
  frame(now, time) {
    this.#time = time;
    if (this.#stale && (this.#store.runs.size < LARGE || now - this.#laidOut > LARGE_PAUSE_MS)) {
      this.#laidOut = now;
      this.#stale = false;
      this.#search();
      this.#held = this.#store.held();
      this.#layout = layOut(this.#store, this.#unfolded, this.#found);
      this.#summary();
      this.draw();
    } else if (now - this.#aged > AGEING_MS) {
      this.#aged = now;
      this.draw();
    }
  }

  #search() {
    const wanted = byId("search").value.toLowerCase();
    if (wanted === "") {
      this.#found = null;
      return;
    }
    this.#found = new Set();
    for (const run of this.#store.runs.values()) {
      // A match may begin in the run above and end in this one.
      const above = this.#store.runs.get(run.parent);
      const before = above && wanted.length > 1 ? above.texts.slice(-wanted.length).join("").slice(1 - wanted.length) : "";
      const text = before + run.texts.join("");
      if (text.toLowerCase().includes(wanted)) {
        this.#found.add(run.id);
      }
    }
  }

  #summary() {
    const runs = this.#store.runs.size;
    const text = `${many(runs, "run")}, ${bytes(this.#store.bytes)}`;
    setText(byId("tree-summary"), this.#found ? `${text}; ${count(this.#found.size)} with this text` : text);
    byId("tree-empty").hidden = runs > 0;
    this.#canvas.hidden = runs === 0; // an empty tree has no items to be one of
  }

  #zoomTo(zoom) {
    this.#zoom = zoom;
    this.draw();
  }

  /** Pixels of a token and of a row. */
  #measure() {
    const { end, depth, rows } = this.#layout;
    const roomy = (this.#scroll.clientHeight - 12) / Math.max(rows, 1);
    this.#row = Math.round(Math.min(Math.max(roomy, ROWS[0]), ROWS[1]));
    const room = this.#scroll.clientWidth - 2 * LEFT - GAP * depth - 8;
    this.#scale = this.#zoom * Math.min(WIDEST_TOKEN, Math.max(room, 80) / Math.max(end, 1));
  }

  #place(item) {
    const scale = this.#scale;
    return {
      left: LEFT + item.start * scale + item.depth * GAP,
      top: item.row * this.#row + 6,
      width: item.fold ? FOLD_WIDTH : Math.max(LEAST_WIDTH, item.run.texts.length * scale),
    };
  }

  draw() {
    if (!this.#store) {
      return;
    }
    const { items, rows, end, depth } = this.#layout;
    this.#measure();
    const width = LEFT * 2 + end * this.#scale + depth * GAP;
    this.#canvas.style.width = `${Math.max(width, 10)}px`;
    this.#canvas.style.height = `${rows * this.#row + 12}px`;
    this.#axis();
    const from = this.#scroll.scrollTop - MARGIN;
    const to = this.#scroll.scrollTop + this.#scroll.clientHeight + MARGIN;
    const seen = new Set();
    let first = null;
    for (const item of items) {
      // A link from a row above is in sight where it passes.
      const top = item.above ? item.above.row * this.#row : item.row * this.#row;
      if ((item.row + 1) * this.#row < from || top > to) {
        continue;
      }
      const place = this.#place(item);
      const key = item.fold ? `fold ${item.parentId}` : `run ${item.run.id}`;
      seen.add(key);
      first ??= key;
      this.#drawItem(key, item, place);
    }
    for (const [key, drawn] of this.#drawn) {
      if (!seen.has(key)) {
        this.#take(key, drawn);
      }
    }
    this.#flashes.clear();
    if (!this.#drawn.has(this.#focused)) {
      this.#focused = first;
    }
    for (const [key, drawn] of this.#drawn) {
      const index = key === this.#focused ? 0 : -1;
      if (drawn.element.tabIndex !== index) {
        drawn.element.tabIndex = index;
      }
    }
  }

  #drawItem(key, item, place) {
    let drawn = this.#drawn.get(key);
    if (!drawn) {
      drawn = {
        element: el("div", { role: "treeitem", "data-key": key, class: item.fold ? "fold" : "run", tabindex: "-1" }),
        link: item.above ? el("div", { class: "link", "aria-hidden": "true" }) : null,
        said: null,
      };
      this.#drawn.set(key, drawn);
      if (drawn.link) {
        this.#canvas.append(drawn.link);
      }
      this.#canvas.append(drawn.element);
    } else if (item.above && !drawn.link) {
      drawn.link = el("div", { class: "link", "aria-hidden": "true" });
      this.#canvas.prepend(drawn.link);
    } else if (!item.above && drawn.link) {
      drawn.link.remove();
      drawn.link = null;
    }
    drawn.item = item;
    const { style } = drawn.element;
    style.transform = `translate(${place.left}px, ${place.top}px)`;
    style.width = `${place.width}px`;
    if (drawn.link) {
      const above = this.#place(item.above);
      const right = above.left + above.width;
      const rise = place.top - above.top;
      drawn.link.style.transform = `translate(${right}px, ${above.top + STRIP / 2}px)`;
      drawn.link.style.width = `${Math.max(2, place.left - right)}px`;
      drawn.link.style.height = `${Math.max(2, rise + 1)}px`;
      drawn.link.classList.toggle("straight", rise === 0);
    }
    const said = this.#describe(drawn, item, place);
    if (drawn.said !== said) {
      drawn.said = said;
      drawn.element.setAttribute("aria-label", said);
    }
    const flash = this.#flashes.get(key);
    if (flash && flash !== "removed") {
      drawn.element.classList.remove("found", "inserted");
      void drawn.element.offsetWidth; // so that the animation begins anew
      drawn.element.classList.add(flash);
    }
  }

  /** Sets what an element shows, and gives what a screen reader says. */
  #describe(drawn, item, place) {
    const { element } = drawn;
    element.setAttribute("aria-level", item.depth + 1);
    if (item.fold) {
      const text = `+ ${many(item.fold.branches, "branch", "branches")}, ${bytes(item.fold.bytes)}`;
      setText(element, text);
      element.dataset.tip = `${many(item.fold.runs, "run")} that were used longest ago. Click to unfold.`;
      return `Folded: ${text}`;
    }
    const { run } = item;
    const held = this.#held.has(run.id);
    const text = beginning(run.texts, Math.min(300, Math.ceil(place.width / 5)));
    setText(element, place.width < NARROW ? "" : text);
    element.classList.toggle("narrow", place.width < NARROW);
    const byTenant = byId("colour").value === "tenant";
    element.dataset.tenant = byTenant ? this.#tenants().indexOf(run.namespace) % TENANTS : "";
    element.style.setProperty("--fresh", byTenant ? "" : `${Math.round(100 * freshness(this.#time - run.time))}%`);
    element.classList.toggle("held", held);
    element.classList.toggle("dim", this.#found !== null && !this.#found.has(run.id));
    element.setAttribute("aria-selected", run.id === this.#selected);
    const end = run.start + run.texts.length;
    const facts =
      `tokens ${count(run.start)} to ${count(end - 1)}, ${bytes(run.bytes)}, ${many(run.hits, "hit")}` +
      (held ? ", pinned" : "") + (run.namespace ? `, tenant ${run.namespace}` : "");
    element.dataset.tip = `${facts}, ${duration(Math.max(0, this.#time - run.time))} old: ${beginning(run.texts, 160)}`;
    return `${facts}: ${beginning(run.texts, 80)}`;
  }

  #tenants() {
    const names = new Set();
    this.#store.tops.forEach((id) => names.add(this.#store.runs.get(id).namespace));
    return [...names].sort();
  }

  #take(key, drawn) {
    this.#drawn.delete(key);
    drawn.link?.remove();
    if (this.#flashes.get(key) === "removed" && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      drawn.element.removeAttribute("role"); // it is of the tree no more
      drawn.element.removeAttribute("data-key");
      drawn.element.setAttribute("aria-hidden", "true");
      drawn.element.classList.add("gone");
      drawn.element.addEventListener("animationend", () => drawn.element.remove());
    } else {
      drawn.element.remove();
    }
  }

  #axis() {
    const axis = byId("tree-axis");
    const scale = this.#scale;
    const { end } = this.#layout;
    const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
    const step = steps.find((tokens) => tokens * scale >= 70) ?? 100_000;
    const marks = [];
    for (let at = 0; at <= end && marks.length < 60; at += step) {
      const left = LEFT + at * scale - this.#scroll.scrollLeft;
      if (left > -40 && left < this.#scroll.clientWidth) {
        marks.push([at === 0 ? "token 0" : count(at), left]);
      }
    }
    while (axis.children.length < marks.length) {
      axis.append(el("span"));
    }
    while (axis.children.length > marks.length) {
      axis.lastChild.remove();
    }
    marks.forEach(([text, left], i) => {
      setText(axis.children[i], text);
      axis.children[i].style.left = `${left}px`;
    });
  }

  #click(element) {
    const item = element && this.#drawn.get(element.dataset.key)?.item;
    if (!item) {
      return;
    }
    this.#focus(element.dataset.key);
    if (item.fold) {
      this.#unfolded.add(item.parentId);
      this.show(this.#store);
    } else {
      this.select(item.run.id);
      this.#select(item.run.id);
    }
  }

  #focus(key) {
    this.#focused = key;
    this.draw();
    this.#drawn.get(key)?.element.focus({ preventScroll: true });
    this.#drawn.get(key)?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #key(event) {
    const item = this.#drawn.get(this.#focused)?.item;
    if (!item) {
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#click(this.#drawn.get(this.#focused).element);
      return;
    }
    const items = this.#layout.items.filter((other) => !other.fold || this.#drawn.has(`fold ${other.parentId}`));
    const inOrder = [...items].sort((a, b) => a.row - b.row || a.depth - b.depth);
    const at = inOrder.indexOf(item);
    const to = {
      ArrowDown: inOrder[at + 1],
      ArrowUp: inOrder[at - 1],
      ArrowLeft: item.above,
      ArrowRight: items.find((other) => other.above === item),
      Home: inOrder[0],
      End: inOrder.at(-1),
    }[event.key];
    if (to) {
      event.preventDefault();
      this.#scroll.scrollTop = Math.min(this.#scroll.scrollTop, to.row * this.#row);
      if (to.row * this.#row > this.#scroll.scrollTop + this.#scroll.clientHeight - this.#row) {
        this.#scroll.scrollTop = (to.row + 1) * this.#row - this.#scroll.clientHeight + 12;
      }
      this.#focus(to.fold ? `fold ${to.parentId}` : `run ${to.run.id}`);
    }
  }
}

/** 1 for what is new, 0 for what is old; most of the change is in the first minute. */
function freshness(age) {
  return Math.max(0, 1 - Math.log1p(Math.max(0, age) / 3000) / Math.log1p(OLD_MS / 3000));
}

/** What the colours say. */
export function treeLegend() {
  return [
    el("span", { class: "swatch fresh" }), " new ", el("span", { class: "swatch old" }), " old",
    el("span", { class: "swatch pin" }), term("pinned"),
    " · a strip is a ", term("run"), ", as wide as the bytes it takes",
  ];
}
