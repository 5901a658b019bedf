/** Light or dark: as the system has it, until somebody switches. */
import { byId } from "./dom.js";

const CHOICE = "kv4j.theme";

export function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (localStorage.getItem(CHOICE) ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => (document.documentElement.dataset.theme = isDark() ? "dark" : "light");
  byId("theme").addEventListener("click", () => {
    localStorage.setItem(CHOICE, isDark() ? "light" : "dark");
    show();
  });
  system.addEventListener("change", show);
  show();
}
