package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import kv4j.apps.serve.TestServer.Reply;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong, too much or not supported is refused, in one sentence that names it. */
class RefusalsTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String COMPLETION = "/v1/completions";
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = new TestServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @AfterEach
  void goesOn() {
    assertEquals(200, server.send(COMPLETION, "{\"prompt\":\"ok\",\"max_tokens\":1}").status());
  }

  private static void check(int status, String param, Reply reply) {
    String body = reply.http().body();
    assertEquals(status, reply.status(), body);
    JsonNode error = reply.json().get("error");
    assertEquals(4, error.size(), body);
    assertTrue(error.get("message").textValue().length() > 10, body);
    assertTrue(error.get("message").textValue().length() < 400, body);
    assertTrue(error.get("message").textValue().indexOf('\n') < 0, body);
    assertEquals("invalid_request_error", error.get("type").textValue());
    assertEquals(param, error.get("param").textValue(), body);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "temperature | \"hot\"",
        "temperature | -0.1",
        "temperature | 2.1",
        "temperature | 1e999",
        "top_p | 1.5",
        "top_p | true",
        "top_k | 1.5",
        "top_k | -2",
        "min_p | 2",
        "seed | 1.5",
        "seed | 99999999999999999999",
        "n | 0",
        "n | 1000",
        "max_tokens | 0",
        "max_tokens | -1",
        "max_tokens | \"8\"",
        "max_tokens | 3000000000",
        "presence_penalty | 3",
        "frequency_penalty | -3",
        "stop | \"\"",
        "stop | 5",
        "stop | [\"a\",5]",
        "stop | [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]",
        "stream | 1",
        "stream_options | {}",
        "user | 5",
        "cache_salt | {}",
        "prompt_cache_key | []",
        "logit_bias | []",
        "logit_bias | {\"100000\":1}",
        "logit_bias | {\"x\":1}",
        "logit_bias.5 | {\"5\":101}",
        "logit_bias.5 | {\"5\":\"1\"}",
        "store | true",
        "service_tier | \"flex\"",
        "metadata | {}",
        "unheard_of | 0",
      })
  void parametersOfBothEndpoints(String param, String value) {
    String name = param.replaceFirst("\\..*", "");
    String more = ",\"%s\":%s}".formatted(name, value);
    check(400, param, server.send(COMPLETION, "{\"prompt\":\"x\"" + more));
    String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";
    check(400, param, server.send(CHAT, chat + more));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "max_completion_tokens | 0",
        "logprobs | 5",
        "top_logprobs | 5",
        "top_logprobs | 21",
        "response_format | {\"type\":\"json_object\"}",
        "tool_choice | \"required\"",
        "parallel_tool_calls | false",
        "modalities | [\"audio\"]",
        "functions | []",
        "reasoning_effort | \"low\"",
        "audio | {}",
        "tools | [{}]",
        "tools | 5",
      })
  void parametersOfChats(String param, String value) {
    String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"%s\":%s}";
    check(400, param, server.send(CHAT, chat.formatted(param, value)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "echo | true",
        "best_of | 2",
        "suffix | \"x\"",
        "logprobs | 21",
        "logprobs | true",
        "max_completion_tokens | 5",
      })
  void parametersOfCompletions(String param, String value) {
    check(
        400,
        param,
        server.send(COMPLETION, "{\"prompt\":\"x\",\"%s\":%s}".formatted(param, value)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "messages | {}",
        "messages | {\"messages\":[]}",
        "messages | {\"messages\":5}",
        "messages[0] | {\"messages\":[5]}",
        "messages[0].role | {\"messages\":[{\"content\":\"x\"}]}",
        "messages[0].role | {\"messages\":[{\"role\":\"function\",\"content\":\"x\"}]}",
        "messages[0].content | {\"messages\":[{\"role\":\"user\"}]}",
        "messages[0].content | {\"messages\":[{\"role\":\"user\",\"content\":null}]}",
        "messages[0].content | {\"messages\":[{\"role\":\"user\",\"content\":5}]}",
        "messages[0].name | {\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"name\":\"y\"}]}",
        "messages[0].content[0].type | {\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "messages[0].content[0].text | {\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}",
        "messages[0].content | {\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}",
        "messages | {\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
        "stream_options.include_obfuscation | {\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true,\"stream_options\":{\"include_obfuscation\":true}}",
        "max_tokens | {\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":5,\"max_completion_tokens\":6}",
      })
  void conversations(String param, String body) {
    check(400, param, server.send(CHAT, body));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "prompt | {}",
        "prompt | {\"prompt\":null}",
        "prompt | {\"prompt\":5}",
        "prompt | {\"prompt\":[]}",
        "prompt | {\"prompt\":[[]]}",
        "prompt | {\"prompt\":{}}",
        "prompt[0] | {\"prompt\":[-1]}",
        "prompt[1] | {\"prompt\":[1,100000]}",
        "prompt[1] | {\"prompt\":[1,\"x\"]}",
        "prompt[0] | {\"prompt\":[[1.5]]}",
        "prompt | {\"prompt\":[\"x\",5]}",
      })
  void prompts(String param, String body) {
    check(400, param, server.send(COMPLETION, body));
  }

  @Test
  void otherModelsAreNotFound() {
    Reply reply = server.send(COMPLETION, "{\"prompt\":\"x\",\"model\":\"gpt-4\"}");
    check(404, "model", reply);
    assertEquals("model_not_found", reply.at("/error/code").textValue());
    server.ask(COMPLETION, "{\"prompt\":\"x\",\"model\":\"tiny\",\"max_tokens\":1}");
  }

  @Test
  void whatDoesNotFitTheContextIsRefused() {
    String prompt = "x".repeat(5000);
    for (String body :
        new String[] {
          "{\"prompt\":\"" + prompt + "\"}", "{\"prompt\":\"x\",\"max_tokens\":4096}"
        }) {
      Reply reply = server.send(COMPLETION, body);
      check(400, "prompt", reply);
      assertEquals("context_length_exceeded", reply.at("/error/code").textValue());
      assertTrue(reply.error().contains("maximum context length is 4096 tokens"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "'' | is empty",
        "'  ' | is empty",
        "[] | must be a JSON object",
        "5 | must be a JSON object",
        "{\"prompt\":\"x\" | cannot be read as JSON",
        "{\"prompt\":\"x\",\"prompt\":\"y\"} | Duplicate",
        "{\"prompt\":\"x\",\"temperature\":NaN} | cannot be read as JSON",
        "{\"prompt\":\"x\"} {} | cannot be read as JSON",
        "{\"prompt\":\"x\",} | cannot be read as JSON",
        "{'prompt':\"x\"} | cannot be read as JSON",
        "<prompt/> | cannot be read as JSON",
      })
  void whatIsNotJson(String body, String why) {
    Reply reply = server.send(COMPLETION, body.replace("''", "'"));
    check(400, null, reply);
    assertTrue(reply.error().contains(why), reply.error());
  }

  @Test
  void bytesThatAreNotUtf8() {
    byte[] body = "{\"prompt\":\"xy\"}".getBytes(StandardCharsets.UTF_8);
    body[12] = (byte) 0xff;
    Reply reply = server.send(server.post(COMPLETION, "").POST(BodyPublishers.ofByteArray(body)));
    check(400, null, reply);
    assertEquals("the body is not UTF-8", reply.error());
  }

  @Test
  void whatIsDeepOrLarge() {
    String deep = "[".repeat(100_000);
    check(400, null, server.send(COMPLETION, "{\"prompt\":" + deep));
    String closed = "[".repeat(90) + "]".repeat(90);
    check(400, "prompt[0]", server.send(COMPLETION, "{\"prompt\":" + closed + "}"));
    Reply large = server.send(COMPLETION, "{\"prompt\":\"" + "x".repeat(10 << 20) + "\"}");
    check(413, null, large);
    byte[] bytes = new byte[10 << 20];
    Arrays.fill(bytes, (byte) ' ');
    Reply chunked =
        server.send(
            server
                .post(COMPLETION, "")
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes))));
    check(413, null, chunked);
    String digits = "1".repeat(5000);
    check(400, null, server.send(COMPLETION, "{\"prompt\":\"x\",\"seed\":" + digits + "}"));
  }

  @Test
  void pathsMethodsTypesAndOrigins() {
    check(404, null, server.get("/v2/models"));
    check(405, null, server.get(COMPLETION));
    check(405, null, server.send("/health", "{}"));
    Reply type =
        server.send(
            server
                .request(COMPLETION)
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString("{\"prompt\":\"x\"}")));
    check(415, null, type);
    check(403, null, server.send(server.request("/cache").header("Origin", "http://evil.com")));
    int port = server.port();
    Reply own = server.send(server.request("/cache").header("Origin", "http://127.0.0.1:" + port));
    assertEquals(200, own.status());
  }

  /** Valid requests with a few bytes, or whole values, turned into something else. */
  @Test
  void randomMutationsAreAnsweredOrRefused() {
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    String[] bodies = {
      "{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":"
          + "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]}],\"max_tokens\":1,"
          + "\"temperature\":0.5,\"top_p\":0.9,\"n\":1,\"stop\":[\"x\"],\"logprobs\":true,"
          + "\"top_logprobs\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
      "{\"prompt\":[1,2,3],\"max_tokens\":1,\"logit_bias\":{\"5\":1.5},\"seed\":7,\"top_k\":4,"
          + "\"min_p\":0.1,\"cache_salt\":\"s\",\"user\":\"u\",\"logprobs\":1}"
    };
    String[] values = {
      "null", "{}", "[]", "-1", "1e400", "\"\"", "true", "\"\\u0000\"", "[[[]]]", "0.5", "99999999"
    };
    int answered = 0;
    for (int i = 0; i < 1500; i++) {
      int which = random.nextInt(2);
      String body = bodies[which];
      if (random.nextBoolean()) {
        String value = values[random.nextInt(values.length)];
        String[] fields = body.split(",\"");
        int field = random.nextInt(fields.length);
        fields[field] = fields[field].replaceFirst(":[^:]*$", ":" + value.replace("\\", "\\\\"));
        body = String.join(",\"", fields) + (field == fields.length - 1 ? "}" : "");
      }
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      for (int flips = random.nextInt(3); flips > 0; flips--) {
        bytes[random.nextInt(bytes.length)] =
            random.nextBoolean()
                ? (byte) random.nextInt(256)
                : (byte) "{}[],:\"0e".charAt(random.nextInt(9));
      }
      String path = which == 0 ? CHAT : COMPLETION;
      Reply reply = server.send(server.post(path, "").POST(BodyPublishers.ofByteArray(bytes)));
      String said = "seed " + seed + ": " + new String(bytes, StandardCharsets.ISO_8859_1);
      assertTrue(reply.status() == 200 || reply.status() / 100 == 4, said + reply.http().body());
      assertEquals(reply.status() != 200, reply.json().has("error"), said);
      answered += reply.status() == 200 ? 1 : 0;
    }
    assertTrue(answered > 50 && answered < 1200, answered + " answered");
  }
}
