/** Follows a server's events, over lost connections and restarts. */

const PATIENCE_MS = [500, 1000, 2000, 5000];

/**
 * Follows for ever.
 *
 * @param key gives the key to send, or an empty text
 * @param take takes each event, {event, data}
 * @param say takes what the connection is: "live", "waiting", or "closed" with the server's reason
 */
export async function follow({ key, take, say }) {
  let last = null;
  for (let failures = 0; ; ) {
    try {
      const headers = { ...authorization(key()), ...(last ? { "Last-Event-ID": last } : {}) };
      const response = await fetch("events", { headers, cache: "no-store" });
      if (response.status === 401 || response.status === 403) {
        await say("closed", (await response.json()).error.message);
        continue; // with another key
      }
      if (!response.ok) {
        throw new Error(`status ${response.status}`);
      }
      say("live");
      failures = 0;
      for await (const { id, event, data } of parse(response.body)) {
        last = null; // where an event cannot be taken, it begins anew
        take({ event, data: JSON.parse(data) });
        last = event === "dropped" ? null : id;
      }
    } catch (failure) {
      console.info("the connection to the server is lost:", failure.message);
    }
    say("waiting");
    const patience = PATIENCE_MS[Math.min(failures++, PATIENCE_MS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, patience));
  }
}

export const authorization = (key) => (key ? { Authorization: `Bearer ${key}` } : {});

/** Server-sent events of a stream of bytes; of an event, only the last line of data counts. */
export async function* parse(body) {
  let rest = "";
  let event = {};
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line !== "") {
        const colon = line.indexOf(": ");
        event[line.slice(0, colon)] = line.slice(colon + 2);
      } else if (event.data !== undefined) {
        yield event;
        event = {};
      }
    }
  }
}
