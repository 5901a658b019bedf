/** A text as a strip of its tokens. */
import { el, visible } from "./dom.js";
import { many } from "./format.js";

/** Tokens shown at each end of a long stretch, and of characters of one token. */
const EDGE = 600;
const MOST_CHARACTERS = 200;

/**
 * Tokens, each in a box of its own.
 *
 * @param stretches [{kind, texts, label}], one after the other
 */
export function strip(...stretches) {
  const parts = [];
  for (const { kind, texts, label } of stretches) {
    if (texts.length === 0) {
      continue;
    }
    const box = el("span", { class: `stretch ${kind}`, "data-kind": kind, "data-tokens": texts.length });
    box.append(el("span", { class: "sr" }, `${label}, ${many(texts.length, "token")}: `));
    const cut = texts.length > 2 * EDGE;
    append(box, cut ? texts.slice(0, EDGE) : texts);
    if (cut) {
      box.append(el("span", { class: "cut" }, ` ${many(texts.length - 2 * EDGE, "more token")} `));
      append(box, texts.slice(-EDGE));
    }
    parts.push(box);
  }
  return el("p", { class: "strip", tabindex: "0", role: "group", "aria-label": "Tokens" }, parts);
}

function append(box, texts) {
  for (const text of texts) {
    const shown = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
    box.append(el("bdi", { class: "token" }, shown === "" ? "·" : visible(shown)));
    if (text.includes("\n")) {
      box.append(el("br"));
    }
  }
}
