/** Draws what lessons show: texts, tables, charts and heat maps. */
import { el, svg, visible } from "./dom.js";

const WIDTH = 480;
const HEIGHT = 220;
const LEFT = 52;
const TOP = 8;
const BOTTOM = 38;
const TICKS = 4;
const MOST_LABELS = 10;
const CELL = 44;

/** The element for a part of a step. */
export function part(data) {
  switch (data.kind) {
    case "text":
      return el("p", {}, visible(data.text));
    case "table":
      return table(data.columns, data.rows);
    case "chart":
      return chart(data.chart);
    case "heatmap":
      return heatMap(data);
    default:
      throw new Error(`a part of an unknown kind: ${data.kind}`);
  }
}

function table(columns, rows) {
  const figures = columns.map((_, i) => rows.every((row) => /^[-\d]/.test(row[i])));
  const cell = (tag, text, i, more = {}) => el(tag, { ...more, class: figures[i] ? "figure" : null }, visible(text));
  return el("div", { class: "lesson-table", tabindex: "0", role: "group", "aria-label": "Table" },
    el("table", {},
      el("thead", {}, el("tr", {}, columns.map((column, i) => cell("th", column, i, { scope: "col" })))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((text, i) => cell("td", text, i)))))));
}

/** The least number of one significant digit that is not below a value. */
function niceAbove(value) {
  if (value <= 0) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / power) * power;
}

const round = (value) => Number(value.toPrecision(3));

function chart({ title, kind, x, y, labels, series }) {
  const top = niceAbove(Math.max(...series.flatMap(({ values }) => values)));
  const across = (i, share) => LEFT + ((WIDTH - LEFT) * (i + share)) / labels.length;
  const up = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.max(value, 0)) / top;
  const text = (content, attributes) => svg("text", attributes, content);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. The figures follow as a table.` });
  for (let tick = 0; tick <= TICKS; tick++) {
    const at = up((top * tick) / TICKS);
    picture.append(
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: at, y2: at }),
      text(round((top * tick) / TICKS), { x: LEFT - 6, y: at, class: "end" }));
  }
  const every = Math.ceil(labels.length / MOST_LABELS);
  labels.forEach((label, i) => {
    if (i % every === 0) {
      picture.append(text(label, { x: across(i, 0.5), y: HEIGHT - 22, class: "middle" }));
    }
  });
  picture.append(text(x, { x: (LEFT + WIDTH) / 2, y: HEIGHT - 6, class: "middle" }));
  series.forEach(({ name, values }, number) => {
    const point = (tag, attributes, i) =>
      svg(tag, { ...attributes, class: `s${number}`, "data-value": values[i] }, svg("title", {}, `${name}, ${labels[i]}: ${round(values[i])} ${y}`));
    if (kind === "BARS") {
      const share = 0.8 / series.length;
      picture.append(...values.map((value, i) => {
        const from = across(i, 0.1 + number * share);
        return point("rect", { x: from, y: up(value), width: across(i, 0.1 + (number + 1) * share) - from, height: up(0) - up(value) }, i);
      }));
    } else {
      picture.append(
        svg("polyline", { class: `s${number}`, points: values.map((value, i) => `${across(i, 0.5)},${up(value)}`).join(" ") }),
        ...values.map((value, i) => point("circle", { cx: across(i, 0.5), cy: up(value), r: 3.5 }, i)));
    }
  });
  return el("figure", { class: "lesson-chart" },
    el("figcaption", {}, `${title}, in ${y}`),
    series.length > 1 ? el("p", { class: "lesson-legend" }, series.map(({ name }, i) => el("span", {}, el("i", { class: `s${i}` }), name))) : null,
    picture,
    el("details", {}, el("summary", {}, "Figures"),
      table([x, ...series.map(({ name }) => name)], labels.map((label, i) => [label, ...series.map(({ values }) => `${round(values[i])}`)]))));
}

function heatMap({ title, rows, columns, values }) {
  const width = CELL * (columns.length + 1);
  const height = 28 * (rows.length + 1);
  const most = Math.max(...values.flat().map(Math.abs)) || 1;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. The figures follow as a table.` });
  columns.forEach((column, i) => picture.append(svg("text", { x: CELL * (i + 1.5), y: 18, class: "middle" }, visible(column))));
  rows.forEach((row, r) => {
    picture.append(svg("text", { x: CELL - 6, y: 28 * (r + 1) + 14, class: "end" }, visible(row)));
    values[r].forEach((value, c) => picture.append(
      svg("rect", { class: "heat", x: CELL * (c + 1), y: 28 * (r + 1), width: CELL - 2, height: 26, "fill-opacity": Math.abs(value) / most, "data-value": value },
        svg("title", {}, `${visible(row)} to ${visible(columns[c])}: ${round(value)}`))));
  });
  return el("figure", { class: "lesson-chart" }, el("figcaption", {}, title), picture,
    el("details", {}, el("summary", {}, "Figures"),
      table(["", ...columns], rows.map((row, r) => [row, ...values[r].map((value) => `${round(value)}`)]))));
}
