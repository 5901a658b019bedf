/** Tabs that are moved between by arrow keys. */

/**
 * Makes tabs of a tablist's buttons.
 *
 * @param chosen told of the id of the panel that was chosen
 * @returns chooses a panel by its id
 */
export function tabs(list, chosen) {
  const all = () => [...list.querySelectorAll("[role=tab]")];
  const choose = (panel) => {
    for (const tab of all()) {
      const selected = tab.getAttribute("aria-controls") === panel;
      tab.setAttribute("aria-selected", selected);
      tab.tabIndex = selected ? 0 : -1;
    }
    chosen(panel);
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) {
      choose(tab.getAttribute("aria-controls"));
    }
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = all().indexOf(document.activeElement);
    if (step && at >= 0) {
      const next = all().at((at + step) % all().length);
      next.focus();
      choose(next.getAttribute("aria-controls"));
    }
  });
  return choose;
}
