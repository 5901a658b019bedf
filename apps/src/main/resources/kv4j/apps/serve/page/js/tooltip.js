/** Explains terms, on hover, focus or touch: elements with data-term or data-tip. */
import { byId, el } from "./dom.js";
import { TERMS } from "./glossary.js";

/** A word with its explanation. */
export const term = (name, text = name) => el("span", { "data-term": name, class: "term", tabindex: "0" }, text);

export function startTooltips() {
  const box = byId("tooltip");
  document.querySelectorAll("[data-term]").forEach((element) => {
    element.classList.add("term");
    element.tabIndex = 0;
  });
  const show = (event) => {
    const target = event.target.closest?.("[data-term], [data-tip]");
    if (!target) {
      return hide();
    }
    box.textContent = target.dataset.tip ?? TERMS[target.dataset.term];
    box.hidden = false;
    if (target.dataset.term) {
      target.setAttribute("aria-describedby", "tooltip");
    }
    const at = target.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, innerWidth - box.offsetWidth - 8));
    const below = at.bottom + 6 + box.offsetHeight < innerHeight;
    box.style.left = `${left}px`;
    box.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - box.offsetHeight - 6)}px`;
  };
  const hide = () => (box.hidden = true);
  document.addEventListener("pointerover", show);
  document.addEventListener("focusin", show);
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}
