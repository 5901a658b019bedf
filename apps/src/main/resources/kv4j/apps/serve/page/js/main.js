/** Puts the page together: events go to the player, its state to the views, at most once a frame. */
import { Details } from "./details.js";
import { byId, setText } from "./dom.js";
import { count, duration, many, percent } from "./format.js";
import { apiKey, askForKeys, watchKey } from "./keys.js";
import { mount as mountLessons } from "./lessons.js";
import { MemoryView } from "./memory-view.js";
import { Player, readRecording } from "./player.js";
import { RequestsView } from "./requests-view.js";
import { follow } from "./stream.js";
import { tabs } from "./tabs.js";
import { startTheme } from "./theme.js";
import { startTooltips } from "./tooltip.js";
import { TreeView } from "./tree-view.js";
import { TryView } from "./try-view.js";

const params = new URLSearchParams(location.search);
let recorded = false; // what is shown is a recording

startTheme();
const details = new Details(watchKey, open);
const tree = new TreeView((id) => open({ kind: "run", id }));
const requests = new RequestsView((id) => open({ kind: "request", id }));
const memory = new MemoryView();
const tryView = new TryView(apiKey, open);
export const player = new Player(changed);
startTooltips();

const chooseView = tabs(byId("views"), (panel) => (document.body.dataset.view = panel));
chooseView("tree-panel");
const chooseSide = tabs(byId("side-tabs"), (panel) => {
  for (const tab of byId("side-tabs").children) {
    const id = tab.getAttribute("aria-controls");
    byId(id).hidden = id !== panel;
  }
  if (panel === "lessons" && !byId("lessons").hasChildNodes()) {
    mountLessons(byId("lessons"), watchKey);
  }
});

function open(what) {
  tree.select(what.kind === "run" ? what.id : null);
  requests.select(what.kind === "request" ? what.id : null);
  tree.lightUp(player.store.requests.get(what.id)?.lookup?.run);
  chooseSide("details");
  chooseView("side-panel");
  details.show(what, player.store);
}

let stale = true;

function changed(event) {
  stale = true;
  tree.show(player.store);
  requests.show(player.store);
  memory.show(player.store);
  if (event) {
    tree.happened(event);
  }
}

/** Time since the last event also passes when nothing happens, unless the player stands still. */
let clock = { event: 0, local: 0 };

function timeNow(now) {
  const { store, mode } = player;
  if (clock.event !== store.now) {
    clock = { event: store.now, local: now };
  }
  return store.now === 0 ? 0 : store.now + (mode === "live" && !recorded ? now - clock.local : 0);
}

function frame(now) {
  const time = timeNow(now);
  tree.frame(now, time);
  requests.frame(time);
  memory.frame(time);
  if (stale) {
    stale = false;
    details.refresh(player.store);
    header();
  }
  requestAnimationFrame(frame);
}

function header() {
  const { store, mode, events, position } = player;
  tryView.model = recorded ? null : store.model;
  if (store.model) {
    const { id, layers, kv_heads: heads, context } = store.model;
    setText(byId("model"), `${id}: ${many(layers, "layer")}, ${many(heads, "KV head")}, context of ${count(context)}`);
  }
  const { prompt_tokens: prompt, cached_tokens: cached, prefill_ms_per_token: perToken, lookups } = store.figures?.asked ?? {
    lookups: store.asked.requests, prompt_tokens: store.asked.promptTokens, cached_tokens: store.asked.cachedTokens, prefill_ms_per_token: null,
  };
  setText(byId("total-reused"), percent(cached, prompt));
  setText(byId("total-saved"), duration(perToken === null ? null : cached * perToken));
  setText(byId("total-requests"), count(lookups));
  setText(byId("pause"), mode === "live" ? "Pause" : mode === "playing" ? "Stop" : "Resume");
  const scrub = byId("scrub");
  scrub.max = events.length;
  scrub.value = position;
  setText(byId("position"), mode === "live" ? "" : `${count(position)} of ${many(events.length, "event")}`);
  document.body.dataset.mode = mode;
}

byId("pause").addEventListener("click", () => (player.mode === "paused" ? player.resume() : player.pause()));
byId("step").addEventListener("click", () => player.step());
byId("replay").addEventListener("click", () => player.replay());
byId("scrub").addEventListener("input", (event) => {
  player.pause();
  player.seek(Number(event.target.value));
});

function connection(state, text) {
  byId("connection").dataset.state = state;
  setText(byId("connection"), text);
}

function play(text, name) {
  let events;
  try {
    events = readRecording(text);
  } catch (failure) {
    connection("closed", `${name} is no recording: ${failure.message}`);
    return;
  }
  recorded = true;
  details.offline = true;
  connection("recorded", `recording ${name}`);
  player.load(events);
}

byId("recording").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) {
    play(await file.text(), file.name);
    event.target.value = ""; // so that the same file can be chosen again
  }
});

byId("key-button").addEventListener("click", async () => {
  await askForKeys("Other keys take effect at once.");
  location.reload();
});
byId("key-button").hidden = watchKey() === "";

changed(null);
requestAnimationFrame(frame);
if (params.has("replay")) {
  const response = await fetch(params.get("replay"));
  if (response.ok) {
    play(await response.text(), params.get("replay"));
  } else {
    connection("closed", `there is no recording ${params.get("replay")}`);
  }
} else {
  follow({
    key: watchKey,
    take: (event) => recorded || player.take(event),
    say: async (state, reason) => {
      if (recorded) {
        return;
      }
      connection(state, { live: "live", waiting: "no connection, trying again", closed: reason }[state]);
      if (state === "closed") {
        await askForKeys(reason);
      }
    },
  });
}
