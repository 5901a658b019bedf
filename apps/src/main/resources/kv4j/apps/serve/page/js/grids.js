/** Layers as grids: heat maps by head, and hits by token. */
import { el, svg } from "./dom.js";
import { count, percent, three } from "./format.js";

/** Columns that a grid of tokens has at most; more tokens share them. */
const MOST_COLUMNS = 96;

/**
 * A matrix as a table of colours.
 *
 * @param rows [layers][heads]
 */
export function heatMap(name, rows) {
  const all = rows.flat();
  const low = Math.min(...all);
  const high = Math.max(...all);
  const cells = rows.flatMap((row, layer) =>
    row.map((value, head) => {
      const cell = el("i", { "data-tip": `layer ${layer}, head ${head}: ${three(value)}` });
      cell.style.setProperty("--heat", `${high > low ? Math.round((100 * (value - low)) / (high - low)) : 50}%`);
      return cell;
    }));
  const map = el("div", { class: "heat", role: "img", "aria-label": `${name}: ${rows.length} layers by ${rows[0].length} heads, mean sizes from ${three(low)} to ${three(high)}` }, cells);
  map.style.setProperty("--columns", rows[0].length);
  return el("figure", {}, map, el("figcaption", {}, `${name}, ${three(low)} to ${three(high)}: layers down, heads across`));
}

/** Which layers found which tokens: the cache keeps all layers of a block together. */
export function grid(layers, tokens, cached) {
  const columns = Math.min(tokens, MOST_COLUMNS);
  const share = cached / tokens;
  const picture = svg("svg", { viewBox: `0 0 ${columns} ${layers}`, preserveAspectRatio: "none", role: "img", class: "hits",
    "aria-label": `${count(cached)} of ${count(tokens)} tokens found in each of ${count(layers)} layers` });
  for (let layer = 0; layer < layers; layer++) {
    const edge = share * columns;
    if (cached > 0) {
      picture.append(svg("rect", { class: "cached", x: 0, y: layer + 0.08, width: edge, height: 0.84 }));
    }
    picture.append(svg("rect", { class: "computed", x: edge, y: layer + 0.08, width: columns - edge, height: 0.84 }));
  }
  return el("figure", {}, picture, el("figcaption", {},
    `${count(layers)} layers down, ${count(tokens)} prompt tokens across: each layer reused ${percent(cached, tokens)}, as a block holds all layers of its tokens.`));
}
