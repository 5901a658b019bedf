/** Draws the tree: only what is in sight becomes elements, so that thousands of runs stay smooth. */
import { byId, el, setText } from "./dom.js";
import { bytes, count, many } from "./format.js";
import { describe, treeLegend } from "./tree-item.js";
import { keyOf, layOut, neighbour, search } from "./tree-layout.js";
import { STRIP, Sizes, drawAxis } from "./tree-sizes.js";

const MARGIN = 300; // px beyond what is in sight that are drawn all the same
const AGEING_MS = 2000; // how often colours are brought up to date

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
  #sizes = null; // where items go
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
    byId("colour").addEventListener("change", () => this.show(this.#store));
    byId("search").addEventListener("input", () => this.show(this.#store));
  }

  /** Something has happened: runs it concerns light up. */
  happened({ event, data }) {
    if (event === "found") {
      this.lightUp(data.run);
    } else if (event === "inserted") {
      this.#flashes.set(`run ${data.run}`, "inserted");
    } else if (event === "removed") {
      this.#flashes.set(`run ${data.run}`, "removed");
    }
  }

  /** Shows, for a moment, a run and those above it. */
  lightUp(id) {
    this.#store.path(id).forEach((run) => this.#flashes.set(`run ${run.id}`, "found"));
    this.#stale = true;
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
      this.#found = search(this.#store, byId("search").value.toLowerCase());
      this.#held = this.#store.held();
      this.#layout = layOut(this.#store, this.#unfolded, this.#found);
      this.#summary();
      this.draw();
    } else if (now - this.#aged > AGEING_MS) {
      this.#aged = now;
      this.draw();
    }
  }

  #summary() {
    const runs = this.#store.runs.size;
    const text = `${many(runs, "run")}, ${bytes(this.#store.bytes)}`;
    setText(byId("tree-summary"), this.#found ? `${text}; ${count(this.#found.size)} with this text` : text);
    byId("tree-empty").hidden = runs > 0;
    const legend = el("p", {}, treeLegend(this.#store, this.#byTenant));
    if (byId("tree-legend").textContent !== legend.textContent) {
      byId("tree-legend").replaceChildren(...legend.childNodes);
    }
    this.#canvas.hidden = runs === 0; // an empty tree has no items to be one of
  }

  get #byTenant() {
    return byId("colour").value === "tenant";
  }

  #zoomTo(zoom) {
    this.#zoom = zoom;
    this.draw();
  }

  draw() {
    if (!this.#store) {
      return;
    }
    const { items, end } = this.#layout;
    this.#sizes = new Sizes(this.#layout, this.#scroll, this.#zoom);
    const { row, scale } = this.#sizes;
    this.#canvas.style.width = `${this.#sizes.width}px`;
    this.#canvas.style.height = `${this.#sizes.height}px`;
    drawAxis(byId("tree-axis"), this.#scroll, scale, end);
    const shown = {
      store: this.#store, held: this.#held, found: this.#found, selected: this.#selected, time: this.#time,
      byTenant: this.#byTenant,
    };
    const from = this.#scroll.scrollTop - MARGIN;
    const to = this.#scroll.scrollTop + this.#scroll.clientHeight + MARGIN;
    const seen = new Set();
    let first = null;
    for (const item of items) {
      // A link from a row above is in sight where it passes.
      if ((item.row + 1) * row < from || (item.above ?? item).row * row > to) {
        continue;
      }
      const key = keyOf(item);
      seen.add(key);
      first ??= key;
      this.#drawItem(key, item, shown);
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

  #drawItem(key, item, shown) {
    const drawn = this.#drawn.get(key) ?? this.#newItem(key, item);
    drawn.item = item;
    const place = this.#sizes.place(item);
    drawn.element.style.transform = `translate(${place.left}px, ${place.top}px)`;
    drawn.element.style.width = `${place.width}px`;
    this.#drawLink(drawn, item, place);
    const said = describe(drawn.element, item, place.width, shown);
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

  #newItem(key, item) {
    const element = el("div", { role: "treeitem", "data-key": key, class: item.fold ? "fold" : "run", tabindex: "-1" });
    const drawn = { element, link: null, said: null };
    this.#drawn.set(key, drawn);
    this.#canvas.append(element);
    return drawn;
  }

  /** The line from what an item follows. */
  #drawLink(drawn, item, place) {
    if (!item.above) {
      drawn.link?.remove();
      drawn.link = null;
      return;
    }
    if (!drawn.link) {
      drawn.link = el("div", { class: "link", "aria-hidden": "true" });
      this.#canvas.prepend(drawn.link);
    }
    const above = this.#sizes.place(item.above);
    const right = above.left + above.width;
    const rise = place.top - above.top;
    const { style, classList } = drawn.link;
    style.transform = `translate(${right}px, ${above.top + STRIP / 2}px)`;
    style.width = `${Math.max(2, place.left - right)}px`;
    style.height = `${Math.max(2, rise + 1)}px`;
    classList.toggle("straight", rise === 0);
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
    const drawn = this.#drawn.get(this.#focused);
    if (!drawn) {
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#click(drawn.element);
      return;
    }
    const to = neighbour(this.#layout.items, drawn.item, event.key);
    if (to) {
      event.preventDefault();
      const { row } = this.#sizes; // into sight, so that there is an element to focus
      const lowest = to.row * row;
      const highest = (to.row + 1) * row + 12 - this.#scroll.clientHeight;
      this.#scroll.scrollTop = Math.max(Math.min(this.#scroll.scrollTop, lowest), highest);
      this.#focus(keyOf(to));
    }
  }
}
