// OpenAI's own client for Node, which takes the server for OpenAI's. Prints a line per check; the first that fails
// ends it with status 1.
//
//   node openai-client.mjs BASE_URL API_KEY      BASE_URL without /v1; nobody else may use the server meanwhile
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import OpenAI from "openai";

const [url, key] = process.argv.slice(2);
if (!key) {
  console.error("usage: node openai-client.mjs BASE_URL API_KEY");
  process.exit(2);
}
const connect = (apiKey) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 60_000 });
const client = connect(key);
const model = (await client.models.list()).data[0].id;

const ask = (content, more = {}) => ({
  model,
  messages: [
    { role: "system", content: "You answer in few words." },
    { role: "user", content },
  ],
  temperature: 0,
  max_completion_tokens: 8,
  ...more,
});

const get = async (path) => {
  const response = await fetch(url + path, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(response.status, 200, path);
  return response;
};
const running = async () => (await (await get("/health")).json()).running;
const cancelled = async () =>
  Number(/^kv4j_requests_total\{outcome="cancelled"\} (\S+)$/m.exec(await (await get("/metrics")).text())[1]);

/** Waits for what is bound to come; that it does not is an error, not a question of time. */
async function until(what, holds) {
  for (const end = Date.now() + 30_000; !(await holds()); await setTimeout(20)) {
    assert.ok(Date.now() < end, `${what} never came`);
  }
}

/** A stream's text, usage and reason to end, and how many chunks it took. */
async function collect(stream, textOf) {
  const all = { text: "", usage: undefined, finish: undefined, chunks: 0 };
  for await (const chunk of stream) {
    all.chunks++;
    all.text += (chunk.choices[0] && textOf(chunk.choices[0])) ?? "";
    all.finish = chunk.choices[0]?.finish_reason ?? all.finish;
    if (chunk.usage) {
      assert.equal(all.usage, undefined, "usage comes once");
      assert.deepEqual(chunk.choices, [], "with usage come no choices");
      all.usage = chunk.usage;
    }
  }
  return all;
}

const checks = {
  async "models are listed and found"() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    assert.deepEqual(ids, [model]);
    const one = await client.models.retrieve(model);
    assert.equal(one.id, model);
    assert.equal(one.object, "model");
  },

  async "a chat, whole"() {
    const answer = await client.chat.completions.create(ask("Where to?"));
    assert.equal(answer.object, "chat.completion");
    assert.equal(answer.model, model);
    assert.equal(answer.choices.length, 1);
    const [choice] = answer.choices;
    assert.equal(choice.message.role, "assistant");
    assert.equal(typeof choice.message.content, "string");
    assert.equal(choice.finish_reason, "length");
    assert.equal(answer.usage.completion_tokens, 8);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + 8);
  },

  async "a second identical prompt is cached"() {
    const cold = await client.chat.completions.create(ask("How often?"));
    const warm = await client.chat.completions.create(ask("How often?"));
    assert.ok(warm.usage.prompt_tokens_details.cached_tokens > 0);
    assert.equal(warm.usage.prompt_tokens_details.cached_tokens, cold.usage.prompt_tokens - 1);
    assert.equal(warm.kv4j.reason, "full");
    assert.equal(warm.choices[0].message.content, cold.choices[0].message.content);
  },

  async "a chat, streamed, with usage"() {
    const whole = await client.chat.completions.create(ask("Of streams"));
    const asked = ask("Of streams", { stream: true, stream_options: { include_usage: true } });
    const streamed = await collect(await client.chat.completions.create(asked), (choice) => choice.delta.content);
    assert.equal(streamed.text, whole.choices[0].message.content);
    assert.equal(streamed.finish, "length");
    assert.ok(streamed.chunks > 2, `only ${streamed.chunks} chunks`);
    assert.equal(streamed.usage.completion_tokens, 8);
    assert.ok(streamed.usage.prompt_tokens_details.cached_tokens > 0);
  },

  async "a chat, streamed, as the client puts it together"() {
    const asked = ask("Of parts", { logprobs: true, top_logprobs: 2 });
    const whole = await client.chat.completions.create(asked);
    const answer = await client.chat.completions.stream(asked).finalChatCompletion();
    assert.equal(whole.choices[0].logprobs.content.length, 8);
    assert.deepEqual(answer.choices[0].logprobs.content, whole.choices[0].logprobs.content);
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.equal(answer.choices[0].message.content, whole.choices[0].message.content);
    assert.equal(answer.choices[0].finish_reason, "length");
  },

  async "a completion, whole and streamed"() {
    const asked = { model, prompt: "Once", max_tokens: 5, temperature: 0, logprobs: 2 };
    const whole = await client.completions.create(asked);
    assert.equal(whole.object, "text_completion");
    assert.equal(whole.choices[0].finish_reason, "length");
    assert.equal(whole.choices[0].logprobs.tokens.length, 5);
    assert.equal(whole.usage.completion_tokens, 5);
    const stream = await client.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } });
    const streamed = await collect(stream, (choice) => choice.text);
    assert.equal(streamed.text, whole.choices[0].text);
    assert.equal(streamed.usage.completion_tokens, 5);
  },

  async "an unknown parameter is refused by name"() {
    await assert.rejects(client.chat.completions.create(ask("Hi", { colour: "red" })), (error) => {
      assert.ok(error instanceof OpenAI.APIError && error instanceof OpenAI.BadRequestError, String(error));
      assert.equal(error.status, 400);
      assert.equal(error.param, "colour");
      assert.equal(error.type, "invalid_request_error");
      return true;
    });
  },

  async "a bad value is refused by its parameter's name, of a stream too"() {
    for (const stream of [false, true]) {
      await assert.rejects(client.chat.completions.create(ask("Hi", { temperature: 5, stream })), (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError, String(error));
        assert.equal(error.status, 400);
        assert.equal(error.param, "temperature");
        assert.match(error.message, /temperature must be from/);
        return true;
      });
    }
  },

  async "a model that is not there is not found"() {
    await assert.rejects(client.chat.completions.create(ask("Hi", { model: "gpt-4" })), OpenAI.NotFoundError);
  },

  async "a wrong key is refused"() {
    await assert.rejects(connect("wrong").chat.completions.create(ask("Hi")), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
      assert.equal(error.status, 401);
      return true;
    });
  },

  async "a stream that is aborted midway leaves the server idle"() {
    await until("an idle server", async () => (await running()) === 0);
    const before = await cancelled();
    const controller = new AbortController();
    const stream = await client.chat.completions.create(ask("Endless", { max_completion_tokens: 3900, stream: true }), {
      signal: controller.signal,
    });
    let chunks = 0;
    for await (const chunk of stream) {
      assert.equal(chunk.choices[0]?.finish_reason ?? null, null, "it ended by itself");
      if (++chunks === 3) {
        assert.equal(await running(), 1);
        controller.abort();
      }
    }
    assert.ok(chunks >= 3, `only ${chunks} chunks`);
    await until("an idle server", async () => (await running()) === 0);
    await until("a cancelled request", async () => (await cancelled()) === before + 1);
    const next = await client.chat.completions.create(ask("And now?"));
    assert.equal(next.usage.completion_tokens, 8);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.log(`FAILED: ${name}\n${error.stack}`);
    process.exit(1);
  }
}
