/** How large things are in the drawing of a tree. */
import { el, setText } from "./dom.js";
import { count } from "./format.js";

export const STRIP = 23; // px of a run's height

const ROWS = [29, 42]; // px from one branch to the next, at least and at most
const GAP = 16; // px between a run and what follows it
const LEFT = 10;
const TOP = 6;
const WIDEST_TOKEN = 18; // px, when all fits
const FOLD_WIDTH = 190;
const LEAST_WIDTH = 4;
const LEAST_ROOM = 80; // px for tokens, however narrow the screen

/** Pixels between marks of the axis, at least, and tokens that may be between them. */
const MARKS = 70;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

/** Where the items of a layout go. */
export class Sizes {
  /**
   * @param box what the tree is seen in
   * @param zoom 1: all of it is as wide as the box
   */
  constructor({ end, depth, rows }, box, zoom) {
    const room = Math.max(box.clientWidth - 2 * LEFT - GAP * depth - 8, LEAST_ROOM);
    const roomy = (box.clientHeight - 2 * TOP) / Math.max(rows, 1);
    this.scale = zoom * Math.min(WIDEST_TOKEN, room / Math.max(end, 1)); // px of a token
    this.row = Math.round(Math.min(Math.max(roomy, ROWS[0]), ROWS[1]));
    this.width = 2 * LEFT + end * this.scale + depth * GAP;
    this.height = rows * this.row + 2 * TOP;
  }

  place(item) {
    return {
      left: LEFT + item.start * this.scale + item.depth * GAP,
      top: item.row * this.row + TOP,
      width: item.fold ? FOLD_WIDTH : Math.max(LEAST_WIDTH, item.run.texts.length * this.scale),
    };
  }
}

/** Marks positions, as far as they are in sight. */
export function drawAxis(axis, box, scale, end) {
  const step = STEPS.find((tokens) => tokens * scale >= MARKS) ?? STEPS.at(-1);
  const first = Math.max(0, Math.floor(box.scrollLeft / scale / step) * step);
  const marks = [];
  for (let at = first; at <= end && (at - first) * scale < box.clientWidth; at += step) {
    marks.push(at);
  }
  while (axis.children.length < marks.length) {
    axis.append(el("span"));
  }
  while (axis.children.length > marks.length) {
    axis.lastChild.remove();
  }
  marks.forEach((at, i) => {
    setText(axis.children[i], at === 0 ? "token 0" : count(at));
    axis.children[i].style.left = `${LEFT + at * scale - box.scrollLeft}px`;
  });
}
