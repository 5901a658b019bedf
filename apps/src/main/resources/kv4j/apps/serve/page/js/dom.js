/** Makes elements, and texts that are safe to look at. */

/** An element: children are elements or texts, which never become markup. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
}

export const byId = (id) => document.getElementById(id);

/** Sets a text only if it is another, since that costs layout. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const PICTURES = { "\n": "⏎", "\t": "⇥", "\r": "␍" };

/** The same text with what is invisible, or turns the order of text around, made visible. */
export function visible(text) {
  return text.replace(INVISIBLE, (character) =>
    PICTURES[character] ?? `⟨${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** At most so many characters of texts, from their beginning, made visible. */
export function beginning(texts, most) {
  let text = "";
  for (const next of texts) {
    text += next.slice(0, most + 1);
    if (text.length > most) {
      return visible(text.slice(0, most)) + "…";
    }
  }
  return visible(text);
}
