/** Lessons: lists them, has the server give one, and shows it step by step. */
import { el } from "./dom.js";
import { part } from "./lesson-parts.js";
import { authorization, parse } from "./stream.js";

/**
 * Fills an element with the lessons there are.
 *
 * @param key gives the key to send, or an empty text
 */
export async function mount(element, key = () => "") {
  const message = el("p", { role: "status" }, "");
  const list = el("ul", { class: "lesson-list" });
  const stage = el("article", { class: "lesson", "aria-live": "off" });
  element.replaceChildren(list, message, stage);
  let running = null; // what cancels the lesson that is given

  async function start(lesson) {
    running?.abort();
    const current = new AbortController();
    running = current;
    message.textContent = "";
    try {
      await give(lesson, stage, key, current.signal, (text) => (message.textContent = text));
    } catch (failure) {
      if (!current.signal.aborted) {
        message.textContent = failure.message;
      }
    }
  }

  try {
    const response = await fetch("lessons", { headers: authorization(key()) });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(answer.error.message);
    }
    list.append(...answer.lessons.map((lesson) =>
      el("li", {}, el("button", { type: "button", "data-lesson": lesson.name, onclick: () => start(lesson) }, lesson.title))));
  } catch (failure) {
    message.textContent = `There are no lessons: ${failure.message}`;
  }
}

/** Runs a lesson; its steps appear one at a time, however fast they come. */
async function give(lesson, stage, key, signal, say) {
  const steps = [];
  let shown = 0;
  let ended = false;
  const shownSteps = el("div", { class: "lesson-steps" });
  const next = el("button", { type: "button", class: "lesson-next", onclick: () => show(true) }, "Next step");
  stage.replaceChildren(
    el("h3", { tabindex: "-1" }, lesson.title),
    el("p", { class: "lesson-goal" }, lesson.goal),
    shownSteps,
    next,
  );

  function show(focus) {
    if (shown < steps.length) {
      const heading = el("h4", { tabindex: "-1" }, steps[shown].title);
      shownSteps.append(el("section", { class: "lesson-step" }, heading, steps[shown].parts.map(part)));
      shown++;
      if (focus) {
        heading.focus();
      }
    }
    update();
  }

  function update() {
    next.disabled = shown === steps.length;
    if (ended && shown === steps.length && next.isConnected) {
      next.replaceWith(el("div", { class: "lesson-question" },
        el("p", {}, "To find out: ", lesson.question), el("code", {}, lesson.command)));
    }
    say(ended || shown < steps.length ? "" : "measuring…");
  }

  update();
  const response = await fetch(`lessons/${lesson.name}`, { method: "POST", headers: authorization(key()), signal });
  if (!response.ok) {
    throw new Error((await response.json()).error.message);
  }
  for await (const { event, data } of parse(response.body)) {
    if (event === "step") {
      steps.push(JSON.parse(data));
      if (shown === 0) {
        show(false);
      }
    } else if (event === "error") {
      throw new Error(JSON.parse(data).error.message);
    } else {
      ended = true;
    }
    update();
  }
  if (!ended) {
    throw new Error("the lesson broke off");
  }
}
