/** Lets people talk to the model, and send prepared requests to see what breaks a prefix. */
import { ask } from "./client.js";
import { byId, el, visible } from "./dom.js";
import { beginning, experiments, hint } from "./experiments.js";
import { count, duration } from "./format.js";
import { REASONS } from "./glossary.js";

const CHAT_TOKENS = 48;
const EXPERIMENT_TOKENS = 16;

export class TryView {
  #key;
  #open;
  #model = null;
  #messages = [];
  #log = el("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: "0" });
  #input = el("textarea", { id: "message", rows: "2", placeholder: hint(), "aria-label": "Message" });
  #send = el("button", { type: "submit" }, "Send");
  #clear = el("button", { type: "button", class: "quiet" }, "New conversation");
  #prepared = el("div", { class: "prepared", role: "group", "aria-labelledby": "prepared-title" });
  #busy = false;

  /**
   * @param key gives the API key to send
   * @param open opens a request's details
   */
  constructor(key, open) {
    this.#key = key;
    this.#open = open;
    const form = el("form", { class: "compose" }, this.#input, el("div", {}, this.#send, this.#clear));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#chat();
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#chat();
      }
    });
    this.#clear.addEventListener("click", () => {
      this.#messages = beginning(this.#model);
      this.#log.replaceChildren();
    });
    byId("try").append(
      el("h2", { id: "prepared-title" }, "What breaks a prefix?"),
      el("p", { class: "note" }, "Each button sends two requests, one after the other. Watch the tree."),
      this.#prepared,
      this.#log,
      form);
    this.#enable();
  }

  /** What to talk to; null: nothing, as a recording is played. */
  set model(model) {
    if (model?.id === this.#model?.id) {
      return;
    }
    this.#model = model;
    this.#messages = beginning(model);
    this.#input.placeholder = hint(model);
    this.#prepared.replaceChildren(...(model ? experiments(model) : []).map((experiment) =>
      el("button", { type: "button", "data-experiment": experiment.id, "data-tip": experiment.says, "aria-description": experiment.says, onclick: () => this.#run(experiment) },
        experiment.name)));
    this.#enable();
  }

  #enable() {
    const off = this.#busy || !this.#model;
    this.#send.disabled = off;
    this.#prepared.querySelectorAll("button").forEach((button) => (button.disabled = off));
  }

  async #exclusively(work) {
    if (this.#busy || !this.#model) {
      return;
    }
    this.#busy = true;
    this.#enable();
    try {
      await work();
    } finally {
      this.#busy = false;
      this.#enable();
    }
  }

  #chat() {
    const text = this.#input.value.trim();
    if (text === "") {
      return;
    }
    return this.#exclusively(async () => {
      this.#input.value = "";
      this.#add(el("div", { class: "message user" }, visible(text)));
      this.#messages.push({ role: "user", content: text });
      const { answer, failed } = await this.#request({ messages: this.#messages, max_tokens: CHAT_TOKENS });
      if (failed) {
        this.#messages.pop();
      } else {
        this.#messages.push({ role: "assistant", content: answer });
      }
    });
  }

  #run(experiment) {
    return this.#exclusively(async () => {
      this.#log.replaceChildren();
      this.#messages = beginning(this.#model);
      this.#add(el("h3", {}, experiment.name));
      this.#add(el("p", { class: "note" }, experiment.says));
      for (const [i, body] of experiment.requests.entries()) {
        this.#add(el("p", { class: "step" }, i === 0 ? "1 · to have something stored" : "2 · the same but for a detail"));
        await this.#request({ ...body, max_tokens: EXPERIMENT_TOKENS });
      }
    });
  }

  async #request(body) {
    const text = el("p");
    const card = el("div", { class: "message assistant" }, text);
    this.#add(card);
    let answer = "";
    try {
      const last = await ask(body, this.#model, this.#key(), (piece) => {
        answer += piece;
        text.textContent = visible(answer).replaceAll("⏎", "\n");
        this.#log.scrollTop = this.#log.scrollHeight;
      });
      card.append(this.#cost(last));
      this.#log.scrollTop = this.#log.scrollHeight;
      return { answer, failed: false };
    } catch (failure) {
      card.classList.add("failed");
      card.append(el("p", { role: "alert" }, failure.message));
      return { answer, failed: true };
    }
  }

  /** What an answer's prompt took, and why not less. */
  #cost({ id, kv4j }) {
    const [reason] = REASONS[kv4j.reason] ?? [kv4j.reason];
    const share = el("i", { class: "cached" });
    share.style.width = `${(100 * kv4j.cached_tokens) / kv4j.prompt_tokens}%`;
    const fork = kv4j.here === undefined ? [] : [
      " At token ", count(kv4j.position), ": ", el("bdi", { class: "quote computed" }, visible(kv4j.here)),
      ", stored was ", el("bdi", { class: "quote stored" }, visible(kv4j.stored)), "."];
    return el("div", { class: "cost", "data-reason": kv4j.reason, "data-cached": kv4j.cached_tokens, "data-prompt": kv4j.prompt_tokens },
      el("span", { class: "share-bar", "aria-hidden": "true" }, share),
      el("p", {}, el("b", {}, `${count(kv4j.cached_tokens)} of ${count(kv4j.prompt_tokens)} tokens cached`), ` – ${reason}.`, fork),
      el("p", { class: "note" }, `First token after ${duration(kv4j.queue_ms + kv4j.prefill_ms)}`,
        !kv4j.saved_ms ? "" : `, saved about ${duration(kv4j.saved_ms)}`, " · ",
        el("button", { type: "button", class: "inline", onclick: () => this.#open({ kind: "request", id }) }, "details")));
  }

  #add(element) {
    this.#log.append(element);
    this.#log.scrollTop = this.#log.scrollHeight;
  }
}
