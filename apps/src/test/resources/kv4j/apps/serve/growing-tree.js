/** Makes a moving picture, as SVG, of how requests let the page's tree grow: a step for each of them. */
async () => {
  const { player } = await import("/js/main.js");
  const { Store } = await import("/js/store.js");
  const { layOut, keyOf } = await import("/js/tree-layout.js");
  const { Sizes, STRIP } = await import("/js/tree-sizes.js");
  const { beginning } = await import("/js/dom.js");

  const WIDTH = 880;
  const SECONDS = 1.6; // a step
  const CAPTION = 30;
  const CHARACTER = 7.3; // px
  const COLOURS = { found: "#63cbbb", inserted: "#f8cf8a", kept: "#cfe9e4" };
  const sizes = new Sizes(layOut(player.store, new Set(), null), { clientWidth: WIDTH, clientHeight: 0 }, 1);
  const height = sizes.height + CAPTION;

  const round = (number) => Math.round(number * 10) / 10;
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const strip = (width, text) =>
    `<rect width="${round(width)}" height="${STRIP}" rx="5"/>` +
    (text.length < 2 ? "" : `<text x="6" y="16" font-family="ui-monospace,monospace" font-size="12" fill="#1d2630">${escape(text)}</text>`);
  const animate = (name, values) => {
    const [tag, type] = name === "transform" ? ["animateTransform", ' type="translate"'] : ["animate", ""];
    return `<${tag} attributeName="${name}"${type} values="${values.join(";")}" dur="${steps * SECONDS}s" calcMode="discrete" repeatCount="indefinite"/>`;
  };

  // What is drawn, each with what it is like in each step in which it is there.
  const pieces = new Map();
  const put = (key, make, step, state) => {
    if (!pieces.has(key)) {
      pieces.set(key, { make, states: [] });
    }
    pieces.get(key).states[step] = state;
  };

  const store = new Store();
  let steps = 0;
  let kinds = new Map();
  const draw = (caption) => {
    const step = steps++;
    for (const item of layOut(store, new Set(), null).items) {
      const place = sizes.place(item);
      const text = beginning(item.run.texts, Math.floor(place.width / CHARACTER) - 3);
      put(`${keyOf(item)} ${place.width} ${text}`, () => strip(place.width, text), step,
        { at: `${round(place.left)} ${place.top}`, fill: COLOURS[kinds.get(item.run.id) ?? "kept"] });
      if (item.above) {
        const above = sizes.place(item.above);
        const right = above.left + above.width;
        const down = place.top > above.top ? `V${place.top + STRIP / 2 - 6}q0 6 6 6` : "";
        put(`${keyOf(item)} link ${right} ${place.left} ${above.top} ${place.top}`,
          () => `<path fill="none" stroke="#9aa5ad" d="M${round(right)} ${above.top + STRIP / 2}${down}H${round(place.left)}"/>`, step, {});
      }
    }
    put(`caption ${step}`, () => `<text x="12" y="${height - 11}" font-family="system-ui,sans-serif" font-size="14" fill="#1d2630">${escape(caption)}</text>`, step, {});
    kinds = new Map();
  };
  for (const event of player.events) {
    store.apply(event);
    if (event.event === "found") {
      store.path(event.data.run).forEach((run) => kinds.set(run.id, "found"));
    } else if (event.event === "inserted") {
      store.path(event.data.parent).forEach((run) => kinds.set(run.id, "found"));
      kinds.set(event.data.run, "inserted");
    } else if (event.event === "finished") {
      const { lookup, promptTokens } = store.requests.get(event.data.request);
      draw(`Request ${steps + 1}: ${lookup.cached} of ${promptTokens} tokens cached, ${lookup.reason.replaceAll("_", " ")}`);
    }
  }

  let body = "";
  for (const { make, states } of pieces.values()) {
    const known = states.find((state) => state !== undefined);
    let last = known;
    const all = Array.from({ length: steps }, (_, step) => (last = states[step] ?? last));
    const there = animate("opacity", all.map((_, step) => (states[step] ? 1 : 0)));
    const move = known.at ? animate("transform", all.map((state) => state.at)) : "";
    const paint = known.fill ? animate("fill", all.map((state) => state.fill)) : "";
    body += `<g>${there}${move}${paint}${make()}</g>\n`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="A prefix tree that grows with each request">\n` +
    `<rect width="${WIDTH}" height="${height}" rx="12" fill="#f8f7f4"/>\n${body}</svg>\n`;
}
