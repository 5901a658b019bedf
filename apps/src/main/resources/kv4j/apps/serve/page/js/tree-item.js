/** What an item of the tree looks like and says. */
import { beginning, el, setText } from "./dom.js";
import { bytes, count, duration, many } from "./format.js";
import { term } from "./tooltip.js";

const NARROW = 24; // px, without room for text
const LEAST_CHARACTER = 5; // px
const OLD_MS = 10 * 60_000;
const TENANTS = 6; // colours

/**
 * Sets what an element shows.
 *
 * @param width of the element, px
 * @param shown what is known of the whole: {store, held, found, selected, time, byTenant}
 * @returns what a screen reader says
 */
export function describe(element, item, width, shown) {
  element.setAttribute("aria-level", item.depth + 1);
  return item.fold ? describeFold(element, item.fold) : describeRun(element, item.run, width, shown);
}

function describeFold(element, fold) {
  const text = `+ ${many(fold.branches, "branch", "branches")}, ${bytes(fold.bytes)}`;
  setText(element, text);
  element.dataset.tip = `${many(fold.runs, "run")} that were used longest ago. Click to unfold.`;
  return `Folded: ${text}`;
}

function describeRun(element, run, width, { store, held, found, selected, time, byTenant }) {
  const isHeld = held.has(run.id);
  const isNarrow = width < NARROW;
  setText(element, isNarrow ? "" : beginning(run.texts, Math.min(300, Math.ceil(width / LEAST_CHARACTER))));
  element.classList.toggle("narrow", isNarrow);
  element.classList.toggle("held", isHeld);
  element.classList.toggle("salted", run.salted);
  element.classList.toggle("dim", found !== null && !found.has(run.id));
  element.setAttribute("aria-selected", run.id === selected);
  element.dataset.tenant = byTenant ? tenants(store).indexOf(run.namespace) % TENANTS : "";
  element.style.setProperty("--fresh", `${Math.round(100 * freshness(time - run.time))}%`);
  const facts =
    `tokens ${count(run.start)} to ${count(run.start + run.texts.length - 1)}, ${bytes(run.bytes)}, ${many(run.hits, "hit")}` +
    (isHeld ? ", pinned" : "") +
    (run.salted ? ", found with its salt only" : "") +
    (run.namespace ? `, tenant ${run.namespace}` : "");
  element.dataset.tip = `${facts}, ${duration(Math.max(0, time - run.time))} old: ${beginning(run.texts, 160)}`;
  return `${facts}: ${beginning(run.texts, 80)}`;
}

function tenants(store) {
  const names = new Set();
  store.tops.forEach((id) => names.add(store.runs.get(id).namespace));
  return [...names].sort();
}

/** 1 for what is new, 0 for what is old; most of the change is in the first minute. */
function freshness(age) {
  return Math.max(0, 1 - Math.log1p(Math.max(0, age) / 3000) / Math.log1p(OLD_MS / 3000));
}

/** What the colours say, of age or of tenants. */
export function treeLegend(store, byTenant) {
  const colours = byTenant
    ? tenants(store).flatMap((name, i) => [el("span", { class: "swatch", "data-tenant": i % TENANTS }), name || "nobody's"])
    : [el("span", { class: "swatch fresh" }), " new ", el("span", { class: "swatch old" }), " old"];
  return [
    ...colours,
    el("span", { class: "swatch pin" }), term("pinned"),
    el("span", {}, " · a strip is a ", term("run"), ", as wide as the bytes it takes"),
  ];
}
