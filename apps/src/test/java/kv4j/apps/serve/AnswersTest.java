package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.serve.http.Keys;
import kv4j.apps.serve.openai.Account;
import kv4j.apps.serve.openai.TokenProbability;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.inference.EngineOptions;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.inference.Sampling;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What clients get for what they ask, beside the engine run by itself. */
class AnswersTest {
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

  private static String user(String text, String more) {
    return "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}".formatted(text, more);
  }

  private static String prompt(String text, String more) {
    return "{\"prompt\":\"%s\"%s}".formatted(text, more);
  }

  /** What the engine gives by itself, without a cache. */
  private static GenerationResult reference(String prompt, int newTokens, Sampling sampling) {
    try (InferenceEngine engine =
            InferenceEngine.create(TestServer.model(), new EngineOptions(1, 512));
        KvCache none =
            new RequestCacheProvider()
                .create(KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1 << 20))) {
      int[] tokens = server.model.card().encode(prompt);
      return new Generator(engine, none)
          .generate(new GenerationRequest(KvRequest.of(tokens), newTokens, sampling), true);
    }
  }

  private static String text(int[] tokens) {
    return Account.text(TestServer.MODEL.tokenizer(), tokens);
  }

  @Test
  void aWholeChatHasAllThatOpenAiPromisesAndMore() {
    String body = user("Tell me of whole chats", ",\"max_tokens\":5,\"temperature\":0");
    JsonNode answer = server.ask(CHAT, body);
    assertEquals("chat.completion", answer.get("object").textValue());
    assertTrue(answer.get("id").textValue().startsWith("chatcmpl-"));
    assertEquals("tiny", answer.get("model").textValue());
    assertEquals("assistant", answer.at("/choices/0/message/role").textValue());
    assertEquals("length", answer.at("/choices/0/finish_reason").textValue());
    int[] expected =
        reference("user: Tell me of whole chats\nassistant:", 5, Sampling.GREEDY).tokens();
    assertEquals(text(expected), answer.at("/choices/0/message/content").textValue());
    assertEquals(5, answer.at("/usage/completion_tokens").intValue());
  }

  @Test
  void aSecondRequestTellsWhatWasCachedAndWhereItDiverged() {
    String first = user("0123456789 0123456789 0123456789 the first", ",\"max_tokens\":2");
    JsonNode cold = server.ask(CHAT, first);
    JsonNode details = cold.at("/usage/prompt_tokens_details/cached_tokens");
    assertTrue(details.isInt(), "zero is said too");
    JsonNode again = server.ask(CHAT, first);
    int prompt = again.at("/usage/prompt_tokens").intValue();
    assertEquals(prompt - 1, again.at("/usage/prompt_tokens_details/cached_tokens").intValue());
    assertEquals(prompt - 1, again.at("/timings/cache_n").intValue());
    assertEquals(1, again.at("/timings/prompt_n").intValue());
    assertEquals("full", again.at("/kv4j/reason").textValue());
    assertFalse(again.get("kv4j").has("stored"));

    String other = user("0123456789 0123456789 0123456789 the other", ",\"max_tokens\":2");
    JsonNode diverged = server.ask(CHAT, other);
    int common = "user: 0123456789 0123456789 0123456789 the ".length();
    int begin = TestServer.MODEL.tokenizer().addsBegin() ? 1 : 0;
    assertEquals("diverged", diverged.at("/kv4j/reason").textValue());
    assertEquals(common + begin, diverged.at("/kv4j/position").intValue());
    assertEquals("other\nas", diverged.at("/kv4j/here").textValue());
    String stored = diverged.at("/kv4j/stored").textValue();
    assertTrue(stored.startsWith("first\n"), stored);
    assertEquals(
        common + begin, diverged.at("/usage/prompt_tokens_details/cached_tokens").intValue());
  }

  @Test
  void timingsAddUp() {
    String body = prompt("Of timings there are many, and all are measured", ",\"max_tokens\":6");
    JsonNode answer = server.ask(COMPLETION, body);
    JsonNode timings = answer.get("timings");
    assertEquals(
        answer.at("/usage/prompt_tokens").intValue(),
        timings.get("cache_n").intValue() + timings.get("prompt_n").intValue());
    assertEquals(answer.at("/usage/completion_tokens"), timings.get("predicted_n"));
    for (String what : List.of("prompt", "predicted")) {
      double ms = timings.get(what + "_ms").doubleValue();
      int n = timings.get(what + "_n").intValue();
      assertTrue(ms > 0, timings.toString());
      assertEquals(ms / n, timings.get(what + "_per_token_ms").doubleValue(), 1e-9);
      assertEquals(1000 * n / ms, timings.get(what + "_per_second").doubleValue(), 1e-6);
    }
    for (String ms : List.of("queue_ms", "prefill_ms", "saved_ms")) {
      assertTrue(answer.at("/kv4j/" + ms).doubleValue() >= 0, answer.toString());
    }
  }

  /** Savings are cached tokens by what a computed one costs, and so in proportion to each other. */
  @Test
  void savedTimeGrowsWithCachedTokens() {
    String text = "Nothing is saved before something was computed. ".repeat(3);
    server.ask(COMPLETION, prompt(text, ",\"max_tokens\":1"));
    JsonNode again = server.ask(COMPLETION, prompt(text, ",\"max_tokens\":1"));
    assertTrue(again.at("/kv4j/cached_tokens").intValue() > 100);
    assertTrue(again.at("/kv4j/saved_ms").doubleValue() > 0, again.toString());
  }

  @Test
  void aStreamedAnswerIsTheWholeOneInPieces() throws Exception {
    for (String usage : List.of("", ",\"stream_options\":{\"include_usage\":true}")) {
      String more = ",\"max_tokens\":12,\"seed\":5,\"logprobs\":true,\"top_logprobs\":3";
      JsonNode whole = server.ask(CHAT, user("Of streams", more));
      List<JsonNode> chunks =
          server.stream(CHAT, user("Of streams", more + ",\"stream\":true" + usage));
      StringBuilder text = new StringBuilder();
      List<JsonNode> logprobs = new ArrayList<>();
      String finish = null;
      Set<String> ids = new HashSet<>();
      for (JsonNode chunk : chunks) {
        ids.add(chunk.get("id").textValue());
        assertEquals("chat.completion.chunk", chunk.get("object").textValue());
        text.append(chunk.at("/choices/0/delta/content").asText(""));
        chunk.at("/choices/0/logprobs/content").forEach(logprobs::add);
        finish = chunk.at("/choices/0/finish_reason").asText(finish);
      }
      assertEquals(1, ids.size());
      assertEquals(
          TestServer.JSON.readTree(
              "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
                  + "\"finish_reason\":null}"),
          chunks.get(0).at("/choices/0"));
      assertTrue(chunks.get(1).at("/choices/0/delta/role").isMissingNode());
      assertEquals(whole.at("/choices/0/message/content").textValue(), text.toString());
      List<JsonNode> expected = new ArrayList<>();
      whole.at("/choices/0/logprobs/content").forEach(expected::add);
      assertTrue(expected.size() > 3, whole.toString());
      assertEquals(expected, logprobs);
      JsonNode last = chunks.get(chunks.size() - 1);
      assertEquals(whole.at("/usage/prompt_tokens"), last.at("/usage/prompt_tokens"));
      assertEquals(whole.at("/usage/completion_tokens"), last.at("/usage/completion_tokens"));
      assertEquals("full", last.at("/kv4j/reason").textValue());
      assertTrue(last.at("/timings/prompt_ms").doubleValue() > 0);
      assertEquals(usage.isEmpty() ? 1 : 0, last.get("choices").size());
      assertEquals(!usage.isEmpty(), chunks.get(0).has("usage"));
    }
  }

  /** Of a plain softmax over the logits that the engine gives by itself. */
  @Test
  void logprobsAreThoseOfTheLogits() {
    Sampling hot = new Sampling(2, 9);
    String text = "Of probabilities";
    GenerationResult expected = reference(text, 6, hot);
    JsonNode chat =
        server.ask(
            COMPLETION,
            prompt(text, ",\"max_tokens\":6,\"temperature\":2,\"seed\":9,\"logprobs\":4"));
    JsonNode logprobs = chat.at("/choices/0/logprobs");
    for (int i = 0; i < 6; i++) {
      float[] row = expected.logits()[i];
      double sum = 0;
      for (float logit : row) {
        sum += Math.exp(logit);
      }
      double logprob = row[expected.tokens()[i]] - Math.log(sum);
      assertEquals(logprob, logprobs.at("/token_logprobs/" + i).doubleValue(), 1e-3);
      double best = Double.NEGATIVE_INFINITY;
      for (float logit : row) {
        best = Math.max(best, logit - Math.log(sum));
      }
      JsonNode top = logprobs.at("/top_logprobs/" + i);
      double first = top.elements().next().doubleValue();
      assertEquals(best, first, 1e-3);
      double before = Double.POSITIVE_INFINITY;
      for (JsonNode one : top) {
        assertTrue(one.doubleValue() <= before, top.toString());
        before = one.doubleValue();
      }
    }
  }

  @Test
  void probabilitiesOfAllTokensSumUpToOne() {
    float[] row = {1, 2, 3, -4, 0.5f, 2};
    var all = TokenProbability.of(1, row, 6);
    assertEquals(List.of(2, 1, 5, 0, 4, 3), all.top().stream().map(one -> one.token()).toList());
    assertEquals(1, all.top().stream().mapToDouble(o -> Math.exp(o.logprob())).sum(), 1e-12);
    assertEquals(all.top().get(1).logprob(), all.logprob());
    var three = TokenProbability.of(1, row, 3);
    assertEquals(all.top().subList(0, 3), three.top());
  }

  /** The same text, with a stop text inside it, ends before that: streamed and whole. */
  @Test
  void aStopTextEndsTheAnswerBeforeIt() throws Exception {
    String more = ",\"max_tokens\":40,\"temperature\":0,\"logprobs\":0";
    String text = server.ask(COMPLETION, prompt("Of stops", more)).at("/choices/0/text").asText();
    String stop = TestServer.JSON.writeValueAsString(text.substring(10, 13));
    int at = text.indexOf(text.substring(10, 13));
    String stopping = prompt("Of stops", more + ",\"stop\":[\"never in it\"," + stop + "]");
    JsonNode whole = server.ask(COMPLETION, stopping);
    assertEquals(text.substring(0, at), whole.at("/choices/0/text").textValue());
    assertEquals("stop", whole.at("/choices/0/finish_reason").textValue());
    int offsets = whole.at("/choices/0/logprobs/text_offset").size();
    assertTrue(
        whole.at("/choices/0/logprobs/text_offset/" + (offsets - 1)).intValue() < at,
        "no token of the stop text is told of");
    StringBuilder streamed = new StringBuilder();
    for (JsonNode chunk :
        server.stream(COMPLETION, stopping.replaceFirst("\\{", "{\"stream\":true,"))) {
      streamed.append(chunk.at("/choices/0/text").asText(""));
    }
    assertEquals(text.substring(0, at), streamed.toString());
  }

  @Test
  void severalAnswersHaveSeedsOfTheirOwnAndAreCountedTogether() throws Exception {
    String more = ",\"max_tokens\":8,\"temperature\":2,\"seed\":3,\"n\":3";
    JsonNode answer = server.ask(CHAT, user("Of many", more));
    Set<String> texts = new HashSet<>();
    for (JsonNode choice : answer.get("choices")) {
      assertEquals(texts.size(), choice.get("index").intValue());
      texts.add(choice.at("/message/content").textValue());
    }
    assertEquals(3, texts.size());
    assertEquals(24, answer.at("/usage/completion_tokens").intValue());
    String[] streamed = {"", "", ""};
    for (JsonNode chunk : server.stream(CHAT, user("Of many", more + ",\"stream\":true"))) {
      JsonNode choice = chunk.at("/choices/0");
      streamed[choice.get("index").intValue()] += choice.at("/delta/content").asText("");
    }
    assertEquals(texts, Set.of(streamed));
    JsonNode second = server.ask(CHAT, user("Of many", more.replace("3,\"n\":3", "4")));
    assertEquals(streamed[1], second.at("/choices/0/message/content").textValue());
  }

  @Test
  void severalPromptsAreAnsweredInOrder() {
    String more = ",\"max_tokens\":3,\"temperature\":0}";
    JsonNode one = server.ask(COMPLETION, "{\"prompt\":\"Of one\"" + more);
    JsonNode two = server.ask(COMPLETION, "{\"prompt\":\"Of two\"" + more);
    JsonNode both = server.ask(COMPLETION, "{\"prompt\":[\"Of one\",\"Of two\"]" + more);
    assertEquals(one.at("/choices/0/text"), both.at("/choices/0/text"));
    assertEquals(two.at("/choices/0/text"), both.at("/choices/1/text"));
    assertEquals(2, both.at("/kv4j/prompts").size());
    JsonNode ids = server.ask("/tokenize", "{\"prompt\":\"Of one\"}").get("tokens");
    for (String prompt : List.of(ids.toString(), "[" + ids + "]")) {
      JsonNode same = server.ask(COMPLETION, "{\"prompt\":" + prompt + more);
      assertEquals(one.at("/choices/0/text"), same.at("/choices/0/text"));
    }
  }

  @Test
  void seedsAreObeyed() {
    String body = prompt("Of seeds", ",\"max_tokens\":20,\"temperature\":1.5,\"seed\":");
    List<String> texts = new ArrayList<>();
    for (int seed : new int[] {7, 7, 8}) {
      texts.add(
          server.ask(COMPLETION, body.replace("}", seed + "}")).at("/choices/0/text").asText());
    }
    assertEquals(texts.get(0), texts.get(1));
    assertNotEquals(texts.get(0), texts.get(2));
    assertEquals(text(reference("Of seeds", 20, new Sampling(1.5, 7)).tokens()), texts.get(0));
  }

  /** Each narrows what is left of two equally hot runs to the likeliest token, or forces one. */
  @Test
  void samplingParametersDoWhatTheySay() {
    String greedy = text("\"temperature\":0");
    String hot = "\"temperature\":2,\"seed\":4";
    assertNotEquals(greedy, text(hot));
    for (String narrow :
        List.of("\"top_k\":1", "\"top_p\":0", "\"top_p\":0.000001", "\"min_p\":1")) {
      assertEquals(greedy, text(hot + "," + narrow), narrow);
    }
    Tokenizer tokenizer = TestServer.MODEL.tokenizer();
    int x = tokenizer.encode("x")[0];
    String biased = "\"temperature\":0,\"logit_bias\":{\"%d\":100}".formatted(x);
    assertEquals("x".repeat(20), text(biased));
    String alternating = text(biased + ",\"frequency_penalty\":2");
    assertEquals("x".repeat(20), alternating, "a bias of 100 outweighs 20 times 2");
    assertNotEquals("x".repeat(20), text(biased.replace("100", "20") + ",\"frequency_penalty\":2"));
    assertNotEquals(greedy, text("\"temperature\":0,\"presence_penalty\":2"));
  }

  private static String text(String more) {
    return server
        .ask(COMPLETION, prompt("Of sampling", ",\"max_tokens\":20," + more))
        .at("/choices/0/text")
        .textValue();
  }

  @Test
  void textPartsAreOneText() {
    String parts =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Of\"},"
            + "{\"type\":\"text\",\"text\":\"parts\"}]}],\"max_tokens\":2,\"temperature\":0}";
    JsonNode one = server.ask(CHAT, user("Of\\nparts", ",\"max_tokens\":2,\"temperature\":0"));
    JsonNode two = server.ask(CHAT, parts);
    assertEquals(one.at("/choices/0/message"), two.at("/choices/0/message"));
    assertEquals("full", two.at("/kv4j/reason").textValue());
  }

  @Test
  void aSaltKeepsPrefixesApart() {
    String body = prompt("A long enough prompt to be cached, and salted", ",\"max_tokens\":1");
    String salted = body.replace("}", ",\"cache_salt\":\"s1\"}");
    server.ask(COMPLETION, body);
    assertTrue(server.ask(COMPLETION, body).at("/kv4j/cached_tokens").intValue() > 30);
    JsonNode first = server.ask(COMPLETION, salted);
    assertEquals(0, first.at("/kv4j/cached_tokens").intValue());
    assertEquals("cold", first.at("/kv4j/reason").textValue());
    assertTrue(server.ask(COMPLETION, salted).at("/kv4j/cached_tokens").intValue() > 30);
    assertEquals(
        0, server.ask(COMPLETION, salted.replace("s1", "s2")).at("/kv4j/cached_tokens").intValue());
  }

  @Test
  void tokensAndTextsBecomeEachOther() {
    JsonNode tokens = server.ask("/tokenize", "{\"prompt\":\"Größe\"}");
    assertEquals(tokens.get("count").intValue(), tokens.get("tokens").size());
    JsonNode text = server.ask("/detokenize", "{\"tokens\":" + tokens.get("tokens") + "}");
    assertEquals("Größe", text.get("prompt").textValue());
    JsonNode chat = server.ask("/tokenize", user("Hi", ""));
    String written =
        server.ask("/detokenize", "{\"tokens\":" + chat.get("tokens") + "}").get("prompt").asText();
    assertEquals("user: Hi\n", written);
  }

  @Test
  void theModelAndTheServerSayWhatTheyAre() {
    assertEquals("tiny", server.get("/v1/models").at("/data/0/id").textValue());
    assertEquals("tiny", server.get("/v1/models/tiny").at("/id").textValue());
    assertEquals(404, server.get("/v1/models/other").status());
    assertEquals("ok", server.get("/health").at("/status").textValue());
    assertTrue(server.get("/version").at("/version").textValue().startsWith("kv4j "));
  }

  @Test
  void anAnswerMayBeSentBackAsOpenAiGaveIt() {
    String plain =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\","
            + "\"content\":\"Ho\"%s},{\"role\":\"user\",\"content\":\"Hm\"}],\"max_tokens\":1}";
    String more = ",\"refusal\":null,\"annotations\":[],\"audio\":null,\"function_call\":null";
    assertEquals(
        server.ask(CHAT, plain.formatted("")).at("/usage/prompt_tokens"),
        server.ask(CHAT, plain.formatted(more)).at("/usage/prompt_tokens"));
  }

  @Test
  void toolsGoToATemplateThatKnowsThem() {
    try (TestServer with =
        new TestServer(
            new Keys(Optional.empty(), Optional.empty(), Optional.empty()),
            1,
            4,
            Optional.of(TestServer.WITH_TOOLS))) {
      String tools = ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"clock\"}}]";
      JsonNode plain = with.ask(CHAT, user("Time?", ",\"max_tokens\":1"));
      JsonNode given = with.ask(CHAT, user("Time?", ",\"max_tokens\":1" + tools));
      int written = "[{\"type\": \"function\", \"function\": {\"name\": \"clock\"}}]".length();
      assertEquals(
          plain.at("/usage/prompt_tokens").intValue() + written,
          given.at("/usage/prompt_tokens").intValue());
      String calls =
          "{\"messages\":[{\"role\":\"user\",\"content\":\"Time?\"},{\"role\":\"assistant\","
              + "\"content\":null,\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":"
              + "{\"name\":\"clock\",\"arguments\":\"{\\\"zone\\\":\\\"UTC\\\"}\"}}]},"
              + "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"noon\"}],"
              + "\"max_tokens\":1}";
      with.ask(CHAT, calls);
    }
    Map<String, String> refused = Map.of(",\"tools\":[{\"type\":\"function\"}]", "tools");
    refused.forEach(
        (more, param) ->
            assertEquals(
                param, server.send(CHAT, user("Time?", more)).at("/error/param").textValue()));
  }
}
