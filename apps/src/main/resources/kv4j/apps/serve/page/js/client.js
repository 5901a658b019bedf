/** Sends requests in OpenAI's protocol, and reads streamed answers. */
import { authorization, parse } from "./stream.js";

/**
 * Sends a conversation.
 *
 * @param body as of /v1/chat/completions
 * @param model as the snapshot describes it: without a chat template, a completion is asked for
 * @param take takes the answer's text, piece by piece
 * @returns {id, usage, timings, kv4j} as the answer's last part has them
 * @throws an error with the server's sentence
 */
export async function ask(body, model, key, take) {
  const chat = model.chat_template;
  const { messages, ...rest } = body;
  const what = chat ? { messages } : { prompt: plain(messages), stop: "\nuser:" };
  const response = await fetch(chat ? "v1/chat/completions" : "v1/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...authorization(key) },
    body: JSON.stringify({ temperature: 0, stream: true, ...rest, ...what }),
  });
  if (!response.ok) {
    throw new Error((await response.json()).error.message);
  }
  let last = null;
  for await (const { data } of parse(response.body)) {
    if (data === "[DONE]") {
      return last;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) {
      throw new Error(chunk.error.message);
    }
    take(chat ? (chunk.choices[0]?.delta.content ?? "") : (chunk.choices[0]?.text ?? ""));
    last = chunk;
  }
  throw new Error("the answer broke off");
}

/** A conversation as lines, for models that know no other form. */
function plain(messages) {
  return `${messages.map(({ role, content }) => `${role}: ${content}\n`).join("")}assistant:`;
}
