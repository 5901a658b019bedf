/** Asks for keys where a server has them; they are kept for this tab only. */
import { byId, setText } from "./dom.js";

const WATCH = "kv4j.watch-key";
const API = "kv4j.api-key";

export const watchKey = () => sessionStorage.getItem(WATCH) ?? "";

export const apiKey = () => sessionStorage.getItem(API) || watchKey();

let asking = null; // those who ask at once are answered together

/** Asks for keys, saying why; done when somebody has given some. */
export function askForKeys(reason) {
  byId("key-button").hidden = false;
  setText(byId("keys-reason"), reason);
  asking ??= new Promise((resolve) => {
    const dialog = byId("keys");
    byId("watch-key").value = watchKey();
    byId("api-key").value = sessionStorage.getItem(API) ?? "";
    dialog.addEventListener("close", () => {
      sessionStorage.setItem(WATCH, byId("watch-key").value.trim());
      sessionStorage.setItem(API, byId("api-key").value.trim());
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}
